package sessionstest

import (
	"errors"
	"time"

	"coatcheck/internal/sessions"
)

var users = []test{
	{"ByUserListsTheNewestFirst", byUserListsTheNewestFirst},
	{"ByUserOfNobodyListsNothing", byUserOfNobodyListsNothing},
	{"ByUserFollowsAMoveToAnotherUser", byUserFollowsAMoveToAnotherUser},
	{"DeleteHandleEndsOneSession", deleteHandleEndsOneSession},
	{"DeleteHandleOfAnotherUserFindsNothing", deleteHandleOfAnotherUserFindsNothing},
	{"DeleteHandleTwiceFindsNothing", deleteHandleTwiceFindsNothing},
	{"DeleteByUserKeepsOne", deleteByUserKeepsOne},
	{"DeleteByUserWithTheZeroKeyKeepsNone", deleteByUserWithTheZeroKeyKeepsNone},
	{"DeleteByUserKeepsAllWhoseKeeperIsGone", deleteByUserKeepsAllWhoseKeeperIsGone},
	{"DeleteOldestKeepsTheNewest", deleteOldestKeepsTheNewest},
	{"DeleteOldestKeepsOneHoweverOld", deleteOldestKeepsOneHoweverOld},
	{"OfManySignInsAtOnceNoMoreThanMostAreLeft", ofManySignInsAtOnceNoMoreThanMostAreLeft},
	{"DeleteAllKeepsOne", deleteAllKeepsOne},
	{"EachGivesEverySessionOnce", eachGivesEverySessionOnce},
	{"EachStopsAtAnError", eachStopsAtAnError},
	{"GuestsAreNobodysSessions", guestsAreNobodysSessions},
}

func byUserListsTheNewestFirst(r room) {
	// Filed in mixed order, some of them a microsecond apart.
	made := map[time.Duration]filed{}
	for _, age := range []time.Duration{time.Hour, 0, 2 * time.Hour, time.Microsecond, time.Hour + time.Microsecond} {
		f := newSession(sessions.Refs{UserID: 7, CartID: int64(age)})
		f.CreatedAt = now.Add(-age)
		r.create(f)
		made[age] = f
	}
	r.created(sessions.Refs{UserID: 8})
	r.created(sessions.Refs{CartID: 7})
	r.lists(7, made[0], made[time.Microsecond], made[time.Hour], made[time.Hour+time.Microsecond], made[2*time.Hour])
}

func byUserOfNobodyListsNothing(r room) {
	r.created(sessions.Refs{UserID: 1})
	r.lists(2)
}

func byUserFollowsAMoveToAnotherUser(r room) {
	old, to := r.created(sessions.Refs{UserID: 1}), newSession(sessions.Refs{UserID: 2})
	r.move(old, to)
	r.lists(1)
	r.lists(2, to)
}

func deleteHandleEndsOneSession(r room) {
	f, other := r.created(sessions.Refs{UserID: 1}), r.created(sessions.Refs{UserID: 1})
	if err := r.store.DeleteHandle(r.ctx, 1, f.Handle, happened); err != nil {
		r.Errorf("DeleteHandle: %v", err)
	}
	r.findsNot(f)
	r.finds(other)
	r.lists(1, other)
}

func deleteHandleOfAnotherUserFindsNothing(r room) {
	f := r.created(sessions.Refs{UserID: 1})
	r.created(sessions.Refs{UserID: 2})
	r.wantNotFound("DeleteHandle", r.store.DeleteHandle(r.ctx, 2, f.Handle, happened))
	r.finds(f)
	r.lists(1, f)
}

func deleteHandleTwiceFindsNothing(r room) {
	f := r.created(sessions.Refs{UserID: 1})
	if err := r.store.DeleteHandle(r.ctx, 1, f.Handle, happened); err != nil {
		r.Errorf("DeleteHandle: %v", err)
	}
	r.wantNotFound("DeleteHandle", r.store.DeleteHandle(r.ctx, 1, f.Handle, happened))
	r.wantNotFound("DeleteHandle", r.store.DeleteHandle(r.ctx, 1, "no such handle", happened))
}

func (r room) deleteByUser(userID int64, keep sessions.Key, want int) {
	r.Helper()
	if n, err := r.store.DeleteByUser(r.ctx, userID, keep, happened); err != nil || n != want {
		r.Errorf("DeleteByUser: %d, %v; want %d", n, err, want)
	}
}

func deleteByUserKeepsOne(r room) {
	first, keep, last := r.created(sessions.Refs{UserID: 1}), r.created(sessions.Refs{UserID: 1}), r.created(sessions.Refs{UserID: 1})
	other := r.created(sessions.Refs{UserID: 2})
	r.deleteByUser(1, keep.key, 2)
	r.findsNot(first, last)
	r.finds(keep, other)
	r.lists(1, keep)
	r.deleteByUser(1, keep.key, 0)
	r.finds(keep)
}

func deleteByUserWithTheZeroKeyKeepsNone(r room) {
	first, last := r.created(sessions.Refs{UserID: 1}), r.created(sessions.Refs{UserID: 1})
	other := r.created(sessions.Refs{UserID: 2})
	r.deleteByUser(1, sessions.Key{}, 2)
	r.findsNot(first, last)
	r.lists(1)
	r.finds(other)
	r.deleteByUser(1, sessions.Key{}, 0)
}

// The session to keep is gone, or never was the user's: it may have moved to
// one of those that are there.
func deleteByUserKeepsAllWhoseKeeperIsGone(r room) {
	f, other, moved, to := r.created(sessions.Refs{UserID: 1}), r.created(sessions.Refs{UserID: 2}), r.created(sessions.Refs{UserID: 1}), newSession(sessions.Refs{UserID: 1})
	r.move(moved, to)
	for _, keep := range []sessions.Key{moved.key, other.key, newSession(sessions.Refs{}).key} {
		r.deleteByUser(1, keep, 0)
	}
	r.finds(f, other, to)
	r.deleteByUser(1, to.key, 1)
	r.findsNot(f)
	r.finds(to)
}

// aged files a session of user 1 that was made so long ago.
func (r room) aged(age time.Duration) filed {
	r.Helper()
	f := newSession(sessions.Refs{UserID: 1})
	f.CreatedAt = now.Add(-age)
	r.create(f)
	return f
}

func (r room) deleteOldest(most int, keep filed, want int) {
	r.Helper()
	if n, err := r.store.DeleteOldest(r.ctx, 1, most, keep.key, happened); err != nil || n != want {
		r.Errorf("DeleteOldest: %d, %v; want %d", n, err, want)
	}
}

func deleteOldestKeepsTheNewest(r room) {
	other, guest := r.created(sessions.Refs{UserID: 2}), r.created(sessions.Refs{CartID: 1})
	second, oldest, third, older, newest := r.aged(time.Microsecond), r.aged(time.Hour), r.aged(3*time.Microsecond), r.aged(time.Minute), r.aged(0)
	r.deleteOldest(5, newest, 0)
	r.deleteOldest(3, newest, 2)
	r.findsNot(oldest, older)
	r.finds(newest, second, third, other, guest)
	r.deleteOldest(3, newest, 0)
	r.deleteOldest(1, newest, 2)
	r.lists(1, newest)
	r.finds(other, guest)
}

// The clock of the server that a sign-in came to may be behind.
func deleteOldestKeepsOneHoweverOld(r room) {
	keep, newest, older := r.aged(time.Hour), r.aged(0), r.aged(time.Minute)
	r.deleteOldest(2, keep, 1)
	r.findsNot(older)
	r.lists(1, newest, keep)
}

// Each files its session and then ends the oldest, as a sign-in does.
func ofManySignInsAtOnceNoMoreThanMostAreLeft(r room) {
	const most = 5
	atOnce(50, func(i int) func() {
		f := newSession(sessions.Refs{UserID: 1})
		f.CreatedAt = now.Add(time.Duration(i%25) * time.Second) // of each two, neither is the older
		if err := r.store.Create(r.ctx, f.key, f.Session, happened); err != nil {
			return func() { r.Errorf("Create: %v", err) }
		}
		if _, err := r.store.DeleteOldest(r.ctx, 1, most, f.key, happened); err != nil {
			return func() { r.Errorf("DeleteOldest: %v", err) }
		}
		return nil
	})
	if n := len(r.byUser(1)); n == 0 || n > most {
		r.Errorf("after 50 sign-ins at once there are %d sessions, want at most %d", n, most)
	}
}

func deleteAllKeepsOne(r room) {
	keep, f, guest := r.created(sessions.Refs{UserID: 1}), r.created(sessions.Refs{UserID: 2}), r.created(sessions.Refs{CartID: 1})
	mine := r.created(sessions.Refs{UserID: 1})
	if n, err := r.store.DeleteAll(r.ctx, keep.key, happened); err != nil || n != 3 {
		r.Errorf("DeleteAll: %d, %v; want 3", n, err)
	}
	r.findsNot(f, guest, mine)
	r.lists(1, keep)
	if n, err := r.store.DeleteAll(r.ctx, sessions.Key{}, happened); err != nil || n != 1 {
		r.Errorf("DeleteAll: %d, %v; want 1", n, err)
	}
	r.findsNot(keep)
}

func eachGivesEverySessionOnce(r room) {
	want := map[sessions.Session]bool{}
	for i := range 5 {
		want[r.created(sessions.Refs{UserID: int64(i % 2), CartID: 7}).Session] = true
	}
	err := r.store.Each(r.ctx, func(s sessions.Session) error {
		if !want[s] {
			r.Errorf("Each gives %+v", s)
		}
		delete(want, s)
		return nil
	})
	if err != nil || len(want) > 0 {
		r.Errorf("Each: %v; it did not give %+v", err, want)
	}
}

func eachStopsAtAnError(r room) {
	r.created(sessions.Refs{UserID: 1})
	r.created(sessions.Refs{UserID: 2})
	enough, calls := errors.New("enough"), 0
	err := r.store.Each(r.ctx, func(sessions.Session) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		r.Errorf("Each: %v after %d calls; want the error of the first", err, calls)
	}
}

// User 0 is no user, so a mistaken 0 must not reach every guest at once.
func guestsAreNobodysSessions(r room) {
	guest := r.created(sessions.Refs{CartID: 1})
	r.lists(0)
	r.wantNotFound("DeleteHandle", r.store.DeleteHandle(r.ctx, 0, guest.Handle, happened))
	r.deleteByUser(0, sessions.Key{}, 0)
	r.finds(guest)
}
