package casstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"coatcheck/internal/sessions"
)

// Move is one swap within one box: when a user's session gets a new key.
// Between two boxes, when a guest signs in, it takes three, of which the second
// one is the move: before it the new session only waits, and after it the old
// one is gone. Whoever stops half-way leaves either the one or the other.
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
	if b, err := st.open(ctx, from); err != nil {
		return before, err
	} else if b.find(old) == nil {
		return before, sessions.ErrNotFound
	}
	if err := st.lead(ctx, new, s); err != nil {
		return before, err
	}
	to := boxOf(new, s.UserID)
	if to != from {
		err := st.change(ctx, to, func(b *box) bool {
			b.put(new, s)
			f := b.find(new)
			f.From, f.FromBox = old, from
			return true
		})
		if err != nil {
			return before, err
		}
	}
	err = st.changeOf(ctx, old, func(b *box, f *filed) bool {
		before = f.session(b.userID)
		b.drop(old)
		b.Moved = append(b.Moved, note{old, new, moment{at}})
		if to == from {
			b.put(new, s)
		}
		return true
	})
	if to != from && (err == nil || errors.Is(err, sessions.ErrNotFound)) {
		// To say in the box itself what the note says, or to clear away what
		// waits for a move that will not be, can be left to chance: without it
		// that is read off the note, or its absence, each time.
		_ = st.change(ctx, to, func(b *box) bool {
			if err != nil {
				b.drop(new)
			}
			return true
		})
	}
	return before, err
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
