BEGIN TRANSACTION;
CREATE TABLE attempts_of_tracks (
	track TEXT NOT NULL, 
	tries INTEGER NOT NULL, 
	last_at DOUBLE NOT NULL, 
	code TEXT NOT NULL, 
	given_up BOOLEAN NOT NULL, 
	PRIMARY KEY (track)
);
INSERT INTO "attempts_of_tracks" VALUES('lost-ba9876543210',2,1.5,'c',0);
CREATE TABLE current_artefacts (
	track VARCHAR(64) NOT NULL, 
	stage VARCHAR(64) NOT NULL, 
	gone BOOLEAN NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	data_version VARCHAR(64) NOT NULL, 
	code_version VARCHAR(64) NOT NULL, 
	made_from TEXT NOT NULL, 
	measures TEXT NOT NULL, 
	engine TEXT NOT NULL, 
	published_at DOUBLE NOT NULL, 
	change BIGINT NOT NULL, 
	PRIMARY KEY (track, stage)
);
INSERT INTO "current_artefacts" VALUES('bjork-joga-0123456789ab','raw_track',0,'k','v','1','{}','{"duration_s":180.5,"loudness_lufs":"-inf"}','decoder',1.79578788083699035643e+09,1795787880834441);
INSERT INTO "current_artefacts" VALUES('bjork-joga-0123456789ab','profile',0,'k','v','1','{"raw_track":"v"}','{"tempo_bpm":128.0,"key":"A minor","camelot":"8A"}','signal-analysis',1.79578788083699035643e+09,1795787880834442);
INSERT INTO "current_artefacts" VALUES('gone-ba9876543210','raw_track',1,'k','v','1','{}','{}','none',1.79578788083699035643e+09,1795787880834444);
CREATE TABLE current_changes (
	id INTEGER NOT NULL, 
	origin BIGINT NOT NULL, 
	last BIGINT NOT NULL, 
	walked BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "current_changes" VALUES(1,1795787880834440,1795787880834444,1);
CREATE TABLE heartbeats (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	track TEXT, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	beat_at DOUBLE NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "heartbeats" VALUES('i','run','n',NULL,'h',1,2.5);
CREATE TABLE inbox_ledger (
	inbox VARCHAR(12) NOT NULL, 
	file VARCHAR(32) NOT NULL, 
	uri BLOB NOT NULL, 
	fingerprint VARCHAR(128) NOT NULL, 
	PRIMARY KEY (inbox, file)
);
INSERT INTO "inbox_ledger" VALUES('83bb8523c6df','fc149721926d536756a3375b6c5399f9',X'2F696E626F782F612E776176','1:x');
CREATE TABLE inboxes (
	inbox VARCHAR(12) NOT NULL, 
	PRIMARY KEY (inbox)
);
CREATE TABLE lalal_jobs (
	"key" TEXT NOT NULL, 
	work TEXT NOT NULL, 
	run TEXT NOT NULL, 
	day TEXT NOT NULL, 
	reserved_at TEXT NOT NULL, 
	minutes DOUBLE NOT NULL, 
	sent BOOLEAN NOT NULL, 
	source TEXT, 
	task TEXT, 
	closed BOOLEAN NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "lalal_jobs" VALUES('k','w','r','2026-11-01','2026-11-01T00:00:00',3.5,1,NULL,NULL,0);
CREATE TABLE tracks_by_content (
	content VARCHAR(12) NOT NULL, 
	track VARCHAR(64) NOT NULL, 
	PRIMARY KEY (content)
);
INSERT INTO "tracks_by_content" VALUES('0123456789ab','bjork-joga-0123456789ab');
CREATE INDEX ix_current_artefacts_change ON current_artefacts (change);
CREATE INDEX ix_heartbeats_name ON heartbeats (name);
CREATE INDEX ix_lalal_jobs_day ON lalal_jobs (day);
COMMIT;
