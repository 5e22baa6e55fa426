#!/bin/sh
# MinIO's buckets, and for each role a user with the policy of docker/policies. To be run as often as wanted.
set -eu
mc alias set storage http://minio:9000 root "$(cat /run/secrets/minio)"
for bucket in resonate-library resonate-inbox; do
    mc mb --ignore-existing "storage/$bucket"
done
for role in web daemon worker; do
    key=$(sed -n 's/^aws_access_key_id *= *//p' "/run/secrets/s3_$role")
    secret=$(sed -n 's/^aws_secret_access_key *= *//p' "/run/secrets/s3_$role")
    mc admin policy create storage "resonate-$role" "/policies/s3-$role.json"
    mc admin user add storage "$key" "$secret"
    mc admin policy attach storage "resonate-$role" --user "$key" || true # attached already
done
