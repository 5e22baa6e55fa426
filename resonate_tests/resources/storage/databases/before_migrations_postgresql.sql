CREATE TABLE current_artefacts (
	track VARCHAR(64) NOT NULL, 
	stage VARCHAR(64) NOT NULL, 
	gone BOOLEAN NOT NULL, 
	key VARCHAR(64) NOT NULL, 
	data_version VARCHAR(64) NOT NULL, 
	code_version VARCHAR(64) NOT NULL, 
	made_from TEXT NOT NULL, 
	measures TEXT NOT NULL, 
	engine TEXT NOT NULL, 
	published_at DOUBLE PRECISION NOT NULL, 
	change BIGINT NOT NULL, 
	PRIMARY KEY (track, stage)
);

CREATE INDEX ix_current_artefacts_change ON current_artefacts (change);

CREATE TABLE current_changes (
	id INTEGER NOT NULL, 
	origin BIGINT NOT NULL, 
	last BIGINT NOT NULL, 
	walked BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE inbox_ledger (
	inbox VARCHAR(12) NOT NULL, 
	file VARCHAR(32) NOT NULL, 
	uri BYTEA NOT NULL, 
	fingerprint VARCHAR(128) NOT NULL, 
	PRIMARY KEY (inbox, file)
);

CREATE TABLE inboxes (
	inbox VARCHAR(12) NOT NULL, 
	PRIMARY KEY (inbox)
);

CREATE TABLE tracks_by_content (
	content VARCHAR(12) NOT NULL, 
	track VARCHAR(64) NOT NULL, 
	PRIMARY KEY (content)
);

CREATE TABLE attempts_of_tracks (
	track TEXT NOT NULL, 
	tries INTEGER NOT NULL, 
	last_at DOUBLE PRECISION NOT NULL, 
	code TEXT NOT NULL, 
	given_up BOOLEAN NOT NULL, 
	PRIMARY KEY (track)
);

CREATE TABLE heartbeats (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	track TEXT, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	beat_at DOUBLE PRECISION NOT NULL, 
	PRIMARY KEY (id)
);

CREATE INDEX ix_heartbeats_name ON heartbeats (name);

CREATE TABLE lalal_jobs (
	key TEXT NOT NULL, 
	work TEXT NOT NULL, 
	run TEXT NOT NULL, 
	day TEXT NOT NULL, 
	reserved_at TEXT NOT NULL, 
	minutes DOUBLE PRECISION NOT NULL, 
	sent BOOLEAN NOT NULL, 
	source TEXT, 
	task TEXT, 
	closed BOOLEAN NOT NULL, 
	PRIMARY KEY (key)
);

CREATE INDEX ix_lalal_jobs_day ON lalal_jobs (day);

COMMENT ON COLUMN lalal_jobs.key IS 'the idempotency key';

COMMENT ON COLUMN lalal_jobs.work IS 'hash of the track and of what is asked for';

COMMENT ON COLUMN lalal_jobs.day IS 'on which the minutes count';
