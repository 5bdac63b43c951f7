package pgstore_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/memstore"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/sessions/sessionstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// story gives what is on record of a session and of those before it.
func story(t *testing.T, db *pgxpool.Pool, handle string) (events []sessions.Event) {
	t.Helper()
	queued(t, db, func(b *pgx.Batch) { pgstore.QueueStory(b, handle, &events) })
	return events
}

func queued(t *testing.T, db *pgxpool.Pool, queue func(*pgx.Batch)) {
	t.Helper()
	b := &pgx.Batch{}
	queue(b)
	if err := db.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatal(err)
	}
}

// about is the event e as it is to stand on record of a session.
func about(e sessions.Event, f filed) sessions.Event {
	e.Session, e.UserID = f.Handle, f.UserID
	return e
}

var (
	arrival  = sessions.Event{At: now, Kind: sessions.SignedIn, Address: "203.0.113.9", Browser: "Desk/1.0"}
	eviction = sessions.Event{At: now.Add(time.Minute), Kind: sessions.Revoked, By: "administrator 3"}
)

// rows reads what has been put on record since the last call, and forgets it.
func rows(t *testing.T, db *pgxpool.Pool) func() []sessions.Event {
	return func() []sessions.Event {
		rows, err := db.Query(t.Context(), `
			DELETE FROM session_events
			RETURNING at, kind, session, previous, coalesce(user_id, 0), done_by, address, browser`)
		if err != nil {
			t.Fatal(err)
		}
		events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sessions.Event])
		if err != nil {
			t.Fatal(err)
		}
		for i := range events {
			events[i].At = events[i].At.UTC()
		}
		return events
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	sessionstest.Record(t, func(t *testing.T) (sessions.Store, func() []sessions.Event) {
		db := pgtest.New(t)
		return pgstore.New(db), rows(t, db)
	})
}

// A store that is elsewhere puts on record by Record what this one does by
// itself.
func TestRecordOfAnotherStore(t *testing.T) {
	t.Parallel()
	sessionstest.Record(t, func(t *testing.T) (sessions.Store, func() []sessions.Event) {
		db := pgtest.New(t)
		return memstore.New(memstore.Most, func(ctx context.Context, events ...sessions.Event) {
			if err := pgstore.Record(ctx, db, events...); err != nil {
				t.Error(err)
			}
		}), rows(t, db)
	})
}

// What cannot be put on record does not happen.
func TestNothingHappensWithoutARecord(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	st, ctx := pgstore.New(db), t.Context()
	f, to := newSession(), newSession()
	create(t, st, f)
	if _, err := db.Exec(ctx, `ALTER TABLE session_events ADD CONSTRAINT full_up CHECK (id < 0) NOT VALID`); err != nil {
		t.Fatal(err)
	}
	_, byUser := st.DeleteByUser(ctx, 1, sessions.Key{}, eviction)
	_, all := st.DeleteAll(ctx, sessions.Key{}, eviction)
	_, sweep := st.Sweep(ctx, f.Until)
	for call, err := range map[string]error{
		"Create": st.Create(ctx, to.key, to.Session, arrival), "Move": st.Move(ctx, f.key, to.key, to.Session, arrival),
		"Delete": st.Delete(ctx, f.key, eviction), "DeleteHandle": st.DeleteHandle(ctx, 1, f.Handle, eviction),
		"DeleteByUser": byUser, "DeleteAll": all, "Sweep": sweep,
	} {
		if err == nil || errors.Is(err, sessions.ErrNotFound) {
			t.Errorf("%s without a record: %v", call, err)
		}
	}
	wantOnly(t, st, []filed{f}, to)
}

func TestRecordIsNeverRewritten(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	create(t, pgstore.New(db), newSession())
	for _, rewrite := range []string{
		`UPDATE session_events SET done_by = 'nobody'`,
		`UPDATE session_events SET at = at WHERE false`,
		`INSERT INTO session_events (id, at, kind) OVERRIDING SYSTEM VALUE SELECT id, at, kind FROM session_events ON CONFLICT (id) DO UPDATE SET kind = 'x'`,
	} {
		if _, err := db.Exec(t.Context(), rewrite); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v; want it refused", rewrite, err)
		}
	}
}

func TestTrimRecordForgetsWhatIsOldAndNothingElse(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	watched, statements := watched(t, db)
	for _, old := range []int{0, 1, 999, 1000, 1001, 2500} {
		_, err := db.Exec(t.Context(), `
			INSERT INTO session_events (at, kind)
			SELECT CASE WHEN i <= $2 THEN $1::timestamptz - interval '1 microsecond' ELSE $1 END, 'made' FROM generate_series(1, $2 + 1500) i`, now, old)
		if err != nil {
			t.Fatal(err)
		}
		statements.sent = nil
		removed, err := pgstore.TrimRecord(t.Context(), watched, now)
		var left, tooOld int
		if err := db.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE at < $1) FROM session_events`, now).Scan(&left, &tooOld); err != nil {
			t.Fatal(err)
		}
		if err != nil || removed != old || left != 1500 || tooOld != 0 {
			t.Errorf("TrimRecord of %d: removed %d, %v; %d are left, %d of them too old", old, removed, err, left, tooOld)
		}
		if steps := len(statements.sent); steps != old/1000+1 {
			t.Errorf("TrimRecord of %d took %d steps, want %d", old, steps, old/1000+1)
		}
		if _, err := db.Exec(t.Context(), `TRUNCATE session_events`); err != nil {
			t.Fatal(err)
		}
	}
}

// A guest who signs in and moves is one story; a stranger's is another.
func TestStoryFollowsASessionThroughItsMoves(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	st, ctx := pgstore.New(db), t.Context()
	guest, signedIn, moved, stranger, heir := newSession(), newSession(), newSession(), newSession(), newSession()
	guest.UserID = 0
	create(t, st, guest)
	create(t, st, stranger)
	for _, m := range []struct {
		from, to filed
		kind     sessions.Kind
	}{{guest, signedIn, sessions.SignedIn}, {stranger, heir, sessions.Moved}, {signedIn, moved, sessions.Moved}} {
		if err := st.Move(ctx, m.from.key, m.to.key, m.to.Session, sessions.Event{At: now, Kind: m.kind}); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Delete(ctx, moved.key, eviction); err != nil {
		t.Fatal(err)
	}
	want := []sessions.Event{
		about(happened, guest),
		{At: now, Kind: sessions.SignedIn, Session: signedIn.Handle, Previous: guest.Handle, UserID: 1},
		{At: now, Kind: sessions.Moved, Session: moved.Handle, Previous: signedIn.Handle, UserID: 1},
		about(eviction, moved),
	}
	if got := story(t, db, moved.Handle); !slices.Equal(got, want) {
		t.Errorf("the story is %+v\nwant %+v", got, want)
	}
	if got := story(t, db, signedIn.Handle); !slices.Equal(got, want[:2]) { // what came later is not its own
		t.Errorf("the story is %+v\nwant %+v", got, want[:2])
	}
	for _, unknown := range []string{"", "nobody"} {
		if got := story(t, db, unknown); len(got) != 0 {
			t.Errorf("the story of %q is %+v", unknown, got)
		}
	}
}

// X1: the record opens nobody's session.
// Bob signs in in a browser where Alice has not signed out.
func TestStoryEndsAtAnotherUsersSession(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.New(t), t.Context()
	st := pgstore.New(db)
	guest, alices, bobs := newSession(), newSession(), newSession()
	guest.UserID, bobs.UserID = 0, 2
	if err := st.Create(ctx, guest.key, guest.Session, happened); err != nil {
		t.Fatal(err)
	}
	signIn := sessions.Event{At: now, Kind: sessions.SignedIn}
	if err := st.Move(ctx, guest.key, alices.key, alices.Session, signIn); err != nil {
		t.Fatal(err)
	}
	if err := st.Move(ctx, alices.key, bobs.key, bobs.Session, signIn); err != nil {
		t.Fatal(err)
	}
	want := []sessions.Event{{At: now, Kind: sessions.SignedIn, Session: bobs.Handle, Previous: alices.Handle, UserID: 2}}
	if got := story(t, db, bobs.Handle); !slices.Equal(got, want) {
		t.Errorf("Bob's story is %+v\nwant %+v", got, want)
	}
}

func TestRecordHoldsNoKey(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	st, ctx := pgstore.New(db), t.Context()
	f, to := newSession(), newSession()
	create(t, st, f)
	if err := errors.Join(st.Move(ctx, f.key, to.key, to.Session, arrival), st.Delete(ctx, to.key, eviction)); err != nil {
		t.Fatal(err)
	}
	var record string
	if err := db.QueryRow(ctx, `SELECT string_agg(e::text, E'\n') FROM session_events e`).Scan(&record); err != nil {
		t.Fatal(err)
	}
	for _, k := range []sessions.Key{f.key, to.key} {
		for _, secret := range []string{hex.EncodeToString(k[:]), base64.RawURLEncoding.EncodeToString(k[:]), string(k[:])} {
			if strings.Contains(record, secret) {
				t.Errorf("the record has a key in it:\n%s", record)
			}
		}
	}
}

// The pages' look-ups go by indexes, with fifty thousand events on record.
func TestRecordIsLookedUpByIndexes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	_, err := db.Exec(t.Context(), `
		INSERT INTO session_events (at, kind, session, previous, user_id)
		SELECT now(), 'moved', 'H' || i, 'H' || i - 1000, i % 1000 FROM generate_series(1, 50000) i`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `ANALYZE session_events`); err != nil {
		t.Fatal(err)
	}
	var events []sessions.Event
	for index, queue := range map[string]func(*pgx.Batch){
		"session_events_of_session": func(b *pgx.Batch) {
			pgstore.QueueStory(b, "H50000", &events)
			pgstore.QueueSignIns(b, []string{"H1", "H2"}, map[string]sessions.Event{})
		},
		"session_events_of_user": func(b *pgx.Batch) { pgstore.QueueEvents(b, 7, 100, &events) },
	} {
		b := &pgx.Batch{}
		queue(b)
		for _, q := range b.QueuedQueries {
			plan := explain(t, db, pgx.TraceQueryStartData{SQL: q.SQL, Args: q.Arguments})
			if !strings.Contains(plan, index) || strings.Contains(plan, "Seq Scan") {
				t.Errorf("the plan goes another way than by %s:\n%s", index, plan)
			}
		}
	}
	queued(t, db, func(b *pgx.Batch) { pgstore.QueueStory(b, "H50000", &events) })
	if len(events) != 50 {
		t.Errorf("the story has %d events, want 50", len(events))
	}
}

func TestEventsOfAUserAreTheirsAndTheNewest(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for i := range 6 {
		e := sessions.Event{At: now.Add(time.Duration(i) * time.Second), Kind: pgstore.Refused, UserID: int64(i % 2), By: "owner", Address: "203.0.113.9", Browser: "Desk/1.0"}
		if err := pgstore.Record(t.Context(), db, e); err != nil {
			t.Fatal(err)
		}
	}
	for userID, want := range map[int64][]int{1: {5, 3}, 0: nil, 2: nil} {
		var events []sessions.Event
		queued(t, db, func(b *pgx.Batch) { pgstore.QueueEvents(b, userID, 2, &events) })
		var got []int
		for _, e := range events {
			if e.UserID != userID || e.By != "owner" || e.Address != "203.0.113.9" || e.Browser != "Desk/1.0" {
				t.Errorf("the event of user %d is %+v", userID, e)
			}
			got = append(got, int(e.At.Sub(now).Seconds()))
		}
		if !slices.Equal(got, want) {
			t.Errorf("of user %d the events %v are found, want %v", userID, got, want)
		}
	}
}
