package sessionstest

import (
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
	{"DeleteByUserKeepsNoStranger", deleteByUserKeepsNoStranger},
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
	if err := r.store.DeleteHandle(r.ctx, 1, f.Handle); err != nil {
		r.Errorf("DeleteHandle: %v", err)
	}
	r.findsNot(f)
	r.finds(other)
	r.lists(1, other)
}

func deleteHandleOfAnotherUserFindsNothing(r room) {
	f := r.created(sessions.Refs{UserID: 1})
	r.created(sessions.Refs{UserID: 2})
	r.wantNotFound("DeleteHandle", r.store.DeleteHandle(r.ctx, 2, f.Handle))
	r.finds(f)
	r.lists(1, f)
}

func deleteHandleTwiceFindsNothing(r room) {
	f := r.created(sessions.Refs{UserID: 1})
	if err := r.store.DeleteHandle(r.ctx, 1, f.Handle); err != nil {
		r.Errorf("DeleteHandle: %v", err)
	}
	r.wantNotFound("DeleteHandle", r.store.DeleteHandle(r.ctx, 1, f.Handle))
	r.wantNotFound("DeleteHandle", r.store.DeleteHandle(r.ctx, 1, "no such handle"))
}

func (r room) deleteByUser(userID int64, keep sessions.Key, want int) {
	r.Helper()
	if n, err := r.store.DeleteByUser(r.ctx, userID, keep); err != nil || n != want {
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

// The key to keep is one of the user's; any other keeps nothing.
func deleteByUserKeepsNoStranger(r room) {
	f, other := r.created(sessions.Refs{UserID: 1}), r.created(sessions.Refs{UserID: 2})
	r.deleteByUser(1, other.key, 1)
	r.findsNot(f)
	r.finds(other)
}

// User 0 is no user, so a mistaken 0 must not reach every guest at once.
func guestsAreNobodysSessions(r room) {
	guest := r.created(sessions.Refs{CartID: 1})
	r.lists(0)
	r.wantNotFound("DeleteHandle", r.store.DeleteHandle(r.ctx, 0, guest.Handle))
	r.deleteByUser(0, sessions.Key{}, 0)
	r.finds(guest)
}
