CREATE TABLE meetings_bookings (
    session TEXT PRIMARY KEY NOT NULL,
    owner TEXT NOT NULL,
    -- null while the meeting is only intended
    meeting_id INTEGER UNIQUE,
    starts_at INTEGER,
    -- null once it is booked
    holder TEXT,
    claimed_until INTEGER,
    -- the intent or the booking, as JSON
    body TEXT NOT NULL,
    CHECK ((meeting_id IS NULL) = (holder IS NOT NULL))
) STRICT;

CREATE INDEX meetings_bookings_owner ON meetings_bookings (owner, starts_at);

CREATE TABLE meetings_instances (
    uuid TEXT PRIMARY KEY NOT NULL,
    meeting_id INTEGER NOT NULL REFERENCES meetings_bookings (meeting_id),
    started_at INTEGER NOT NULL
) STRICT;

CREATE INDEX meetings_instances_meeting ON meetings_instances (meeting_id, started_at);
