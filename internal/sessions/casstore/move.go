package casstore

import (
	"context"
	"slices"
	"time"

	"coatcheck/internal/sessions"
)

// Move is one swap within one box: when a user's session gets a new key.
// Between two boxes, when a guest signs in, it takes two, of which the second
// is the move: before it the new session only waits, and after it the old one
// is gone. If somebody comes upon it in between, they finish it.
func (st *Store) Move(ctx context.Context, old, new sessions.Key, s sessions.Session, e sessions.Event) error {
	before, err := st.move(ctx, letters(old), letters(new), s, e.At)
	if err != nil {
		return wrap("move session", err)
	}
	e.Previous = before.Handle
	st.record.Record(ctx, e.Of(s))
	return nil
}

func (st *Store) move(ctx context.Context, old, new string, s sessions.Session, at time.Time) (before sessions.Session, err error) {
	from, err := st.find(ctx, old)
	if err != nil {
		return before, err
	}
	b, err := st.open(ctx, from)
	if err != nil {
		return before, err
	}
	f := b.find(old)
	if f == nil {
		return before, sessions.ErrNotFound
	}
	before = f.session(b.userID)
	if err := st.lead(ctx, new, s); err != nil {
		return before, err
	}
	to := boxOf(new, s.UserID)
	if to == from {
		return before, st.changeOf(ctx, old, func(b *box, _ *filed) bool {
			b.drop(old)
			b.Moved = append(b.Moved, note{old, new, moment{at}})
			b.put(new, s)
			return true
		})
	}
	waits := newFiled(new, s)
	waits.From = &origin{old, from, moment{at}}
	err = st.change(ctx, to, func(b *box) bool {
		b.Sessions = append(b.Sessions, waits)
		return true
	})
	if err != nil {
		return before, err
	}
	moved, err := st.finish(ctx, waits)
	if err != nil {
		return before, err
	}
	// Now the box can say so itself, or forget it. If that fails, whoever looks
	// into it next finds out again.
	_ = st.change(ctx, to, func(*box) bool { return true })
	if !moved {
		return before, sessions.ErrNotFound
	}
	return before, nil
}

// MovedAt looks for the note that a move has left.
func (st *Store) MovedAt(ctx context.Context, k sessions.Key) (time.Time, error) {
	key := letters(k)
	name, err := st.find(ctx, key)
	if err != nil {
		return time.Time{}, wrap("look for a moved session", err)
	}
	b, err := st.open(ctx, name)
	if err != nil {
		return time.Time{}, wrap("look for a moved session", err)
	}
	i := slices.IndexFunc(b.Moved, func(n note) bool { return n.From == key })
	if i < 0 {
		return time.Time{}, sessions.ErrNotFound
	}
	return b.Moved[i].At.Time, nil
}
