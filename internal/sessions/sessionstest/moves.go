package sessionstest

import (
	"time"

	"coatcheck/internal/sessions"
)

var moves = []test{
	{"MoveLetsTheOldDieAndFilesTheNew", moveLetsTheOldDieAndFilesTheNew},
	{"MoveOfAnUnknownKeyFilesNothing", moveOfAnUnknownKeyFilesNothing},
	{"MoveAfterDeleteFilesNothing", moveAfterDeleteFilesNothing},
	{"SecondMoveFilesNothing", secondMoveFilesNothing},
	{"MoveToAKeyInUseChangesNothing", moveToAKeyInUseChangesNothing},
	{"OfManyMovesFromOneKeyOneWins", ofManyMovesFromOneKeyOneWins},
	{"OfManyMovesToOneKeyOneWins", ofManyMovesToOneKeyOneWins},
	{"MovedAtKnowsWhatHasMoved", movedAtKnowsWhatHasMoved},
}

func moveLetsTheOldDieAndFilesTheNew(r room) {
	old, other := r.created(sessions.Refs{CartID: 1}), r.created(sessions.Refs{CartID: 1})
	to := newSession(sessions.Refs{UserID: 2, CartID: 3})
	to.CreatedAt, to.IdleUntil, to.Until = now.Add(time.Second), now.Add(time.Minute), now.Add(time.Hour)
	r.move(old, to)
	r.findsNot(old)
	r.finds(to, other)
	r.lists(2, to)
}

func moveOfAnUnknownKeyFilesNothing(r room) {
	r.movesNothing(newSession(sessions.Refs{UserID: 1}))
}

func moveAfterDeleteFilesNothing(r room) {
	old := r.created(sessions.Refs{UserID: 1})
	r.delete(old)
	r.movesNothing(old)
}

func secondMoveFilesNothing(r room) {
	old, to := r.created(sessions.Refs{UserID: 1}), newSession(sessions.Refs{UserID: 1})
	r.move(old, to)
	r.movesNothing(old)
	r.finds(to)
	r.lists(1, to)
}

// movesNothing expects that nothing comes of moving a session that is dead.
func (r room) movesNothing(old filed) {
	r.Helper()
	to := newSession(sessions.Refs{UserID: 2})
	r.wantNotFound("Move", r.store.Move(r.ctx, old.key, to.key, to.Session, happened))
	r.findsNot(old, to)
}

func moveToAKeyInUseChangesNothing(r room) {
	old, taken := r.created(sessions.Refs{UserID: 1}), r.created(sessions.Refs{UserID: 2})
	to := newSession(sessions.Refs{UserID: 3})
	r.wantFailure("Move", r.store.Move(r.ctx, old.key, taken.key, to.Session, happened))
	r.finds(old, taken)
	r.lists(1, old)
	r.lists(2, taken)
	r.lists(3)
}

func ofManyMovesFromOneKeyOneWins(r room) {
	old := r.created(sessions.Refs{UserID: 1})
	var won, lost []filed
	atOnce(many, func(int) func() {
		to := newSession(sessions.Refs{UserID: 1})
		err := r.store.Move(r.ctx, old.key, to.key, to.Session, happened)
		if err == nil {
			return func() { won = append(won, to) }
		}
		r.wantNotFound("Move", err)
		return func() { lost = append(lost, to) }
	})
	if len(won) != 1 {
		r.Fatalf("%d of %d moves from one key succeeded", len(won), many)
	}
	r.findsNot(old)
	r.findsNot(lost...)
	r.finds(won...)
	r.lists(1, won...)
}

// Both or neither: who loses the new key keeps the old one.
func ofManyMovesToOneKeyOneWins(r room) {
	key := newSession(sessions.Refs{}).key
	var won, diedFor, kept []filed
	atOnce(many, func(int) func() {
		old, to := r.created(sessions.Refs{CartID: 1}), newSession(sessions.Refs{UserID: 1})
		to.key = key
		err := r.store.Move(r.ctx, old.key, key, to.Session, happened)
		if err == nil {
			return func() { won, diedFor = append(won, to), append(diedFor, old) }
		}
		r.wantFailure("Move", err)
		return func() { kept = append(kept, old) }
	})
	if len(won) != 1 {
		r.Fatalf("%d of %d moves to one key succeeded", len(won), many)
	}
	r.findsNot(diedFor...)
	r.finds(won...)
	r.finds(kept...)
	r.lists(1, won...)
}

func movedAtKnowsWhatHasMoved(r room) {
	old, to, dead := r.created(sessions.Refs{CartID: 1}), newSession(sessions.Refs{UserID: 1}), r.created(sessions.Refs{CartID: 2})
	r.move(old, to)
	r.delete(dead)
	if at, err := r.store.MovedAt(r.ctx, old.key); err != nil || at != happened.At {
		r.Errorf("MovedAt: %v, %v; want %v", at, err, happened.At)
	}
	r.sweep(happened.At.Add(59*time.Second), 0)
	if _, err := r.store.MovedAt(r.ctx, old.key); err != nil {
		r.Errorf("MovedAt, within a minute: %v", err)
	}
	for _, f := range []filed{to, dead, newSession(sessions.Refs{})} {
		_, err := r.store.MovedAt(r.ctx, f.key)
		r.wantNotFound("MovedAt", err)
	}
	lost := newSession(sessions.Refs{UserID: 1})
	r.wantNotFound("Move", r.store.Move(r.ctx, dead.key, lost.key, lost.Session, happened))
	_, err := r.store.MovedAt(r.ctx, dead.key)
	r.wantNotFound("MovedAt of what could not move", err)
}
