#!/bin/sh
# Users of RabbitMQ, each with what it needs (configure, write, read: regular expressions of queues and exchanges).
# On the broker's host, as who may call rabbitmqctl, as often as wanted; passwords in the environment:
#   RESONATE_BROKER_LAUNCHER_PASSWORD=… RESONATE_BROKER_WORKER_PASSWORD=… RESONATE_BROKER_SCALER_PASSWORD=… sh rabbitmq.sh
set -eu

add() { # name, password, configure, write, read
    rabbitmqctl add_user "$1" "$2" || rabbitmqctl change_password "$1" "$2"
    rabbitmqctl set_permissions "$1" "$3" "$4" "$5"
}

queues='^(cpu|gpu|cloud)$'
# Web and daemon hand runs over, declare the queues that they hand them to, and count what waits there. To read an
# exchange is to bind to it; a queue that may be read could be emptied, which no other permission parts from that.
sending='^(amq\.default|cpu|gpu|cloud)$' # by the default exchange, which is asked for under this name
add resonate-launcher "$RESONATE_BROKER_LAUNCHER_PASSWORD" "$queues" "$sending" "$queues"
# Workers take from the queues, and have Celery's own: by which it asks its workers how they are, and tells what they do.
celery='^(cpu|gpu|cloud|celeryev.*|.*celery\.pidbox|.*\.reply\.celery\.pidbox)$'
add resonate-worker "$RESONATE_BROKER_WORKER_PASSWORD" "$celery" "$celery" "$celery"
# KEDA reads lengths over the management plug-in, and no message.
add resonate-scaler "$RESONATE_BROKER_SCALER_PASSWORD" '^$' '^$' '^$'
rabbitmqctl set_user_tags resonate-scaler monitoring
# The user that every RabbitMQ begins with, whose password everybody knows.
rabbitmqctl delete_user guest || true
