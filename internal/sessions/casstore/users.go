package casstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"coatcheck/internal/sessions"
)

// ByUser lists what lies in the user's box.
func (st *Store) ByUser(ctx context.Context, userID int64) ([]sessions.Session, error) {
	b, err := st.open(ctx, userBox(userID))
	if err != nil {
		return nil, fmt.Errorf("list sessions of user %d: %w", userID, err)
	}
	list := make([]sessions.Session, len(b.Sessions))
	for i := range b.Sessions {
		list[i] = b.Sessions[i].session(userID)
	}
	slices.SortFunc(list, sessions.NewestFirst)
	return list, nil
}

// DeleteHandle takes the session out of the user's box.
func (st *Store) DeleteHandle(ctx context.Context, userID int64, handle string, e sessions.Event) error {
	n, err := st.end(ctx, userBox(userID), e, func(_ *box, f filed) bool { return f.Handle == handle })
	if err != nil {
		return fmt.Errorf("delete session %s of user %d: %w", handle, userID, err)
	}
	if n == 0 {
		return sessions.ErrNotFound
	}
	return nil
}

// DeleteByUser empties the user's box, or leaves one in it while that is there.
func (st *Store) DeleteByUser(ctx context.Context, userID int64, keep sessions.Key, e sessions.Event) (int, error) {
	kept := letters(keep)
	n, err := st.end(ctx, userBox(userID), e, func(b *box, f filed) bool {
		return f.Key != kept && (keep == sessions.Key{} || b.find(kept) != nil)
	})
	return n, wrap(fmt.Sprintf("delete sessions of user %d", userID), err)
}

// DeleteOldest leaves the newest in the user's box.
func (st *Store) DeleteOldest(ctx context.Context, userID int64, most int, keep sessions.Key, e sessions.Event) (int, error) {
	kept := letters(keep)
	n, err := st.end(ctx, userBox(userID), e, func(b *box, f filed) bool {
		newer := 0
		for i := range b.Sessions {
			if other := b.Sessions[i]; other.Key != kept && sessions.NewestFirst(other.session(userID), f.session(userID)) < 0 {
				newer++
			}
		}
		return f.Key != kept && newer >= most-1
	})
	return n, wrap(fmt.Sprintf("delete oldest sessions of user %d", userID), err)
}

// end takes the doomed out of a box, in one swap, and puts them on record.
func (st *Store) end(ctx context.Context, name string, e sessions.Event, doomed func(*box, filed) bool) (int, error) {
	var ended []sessions.Session
	err := st.change(ctx, name, func(b *box) bool {
		before := *b
		before.Sessions = slices.Clone(b.Sessions)
		ended = b.end(func(f filed) bool { return doomed(&before, f) })
		return len(ended) > 0
	})
	if err != nil {
		return 0, err
	}
	st.recordAll(ctx, e, ended)
	return len(ended), nil
}

func (st *Store) recordAll(ctx context.Context, e sessions.Event, ended []sessions.Session) {
	events := make([]sessions.Event, len(ended))
	for i, s := range ended {
		events[i] = e.Of(s)
	}
	st.record.Record(ctx, events...)
}

// each opens every box. Most are read some at a time.
func (st *Store) each(ctx context.Context, f func(*box) error) error {
	seen := map[string]bool{}
	return st.backend.Boxes(ctx, func(keys []string) error {
		keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
			again := seen[key]
			seen[key] = true
			return again
		})
		if len(keys) == 0 {
			return nil
		}
		boxes, err := st.lookAll(ctx, keys)
		for _, b := range boxes {
			if err := st.settle(ctx, b); err != nil {
				return err
			}
			if err := f(b); err != nil {
				return err
			}
		}
		return err
	})
}

// Each goes through all boxes that the backend lists.
func (st *Store) Each(ctx context.Context, f func(sessions.Session) error) error {
	var own error
	err := st.each(ctx, func(b *box) error {
		for _, s := range b.Sessions {
			if own = f(s.session(b.userID)); own != nil {
				return own
			}
		}
		return nil
	})
	if own != nil {
		return own
	}
	return wrap("list sessions", err)
}

// Sweep takes what has expired out of the boxes, one swap a box. Without it
// nothing would stay for ever, for a box expires when its last session does;
// but nobody would put that on record.
func (st *Store) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	over := func(f filed) bool { return f.session(0).Expired(now) != sessions.TicketLive }
	err = st.each(ctx, func(b *box) error {
		if !slices.ContainsFunc(b.Sessions, over) {
			return nil
		}
		var ended []sessions.Session
		err := st.change(ctx, b.item.Key, func(b *box) bool {
			ended = b.end(over)
			return len(ended) > 0
		})
		if err != nil {
			return err
		}
		removed += len(ended)
		events := make([]sessions.Event, len(ended))
		for i, s := range ended {
			events[i] = s.Timeout()
		}
		st.record.Record(ctx, events...)
		return nil
	})
	return removed, wrap("sweep sessions", err)
}

// DeleteAll begins new generations: with that all boxes count for nothing, also
// those that no list shows. Then it clears the old ones away, and counts what
// was in them.
func (st *Store) DeleteAll(ctx context.Context, keep sessions.Key, e sessions.Event) (int, error) {
	n, err := st.deleteAll(ctx, letters(keep), e)
	return n, wrap("delete all sessions", err)
}

func (st *Store) deleteAll(ctx context.Context, keep string, e sessions.Event) (int, error) {
	home, err := st.find(ctx, keep)
	if err != nil && !errors.Is(err, sessions.ErrNotFound) {
		return 0, err
	}
	deleted := 0
	over := map[string]bool{} // generations that were the present ones
	for i := range generations {
		name := generation + strconv.Itoa(i)
		next := []byte(rand.Text())
		if home != "" && generationOf(home) == name {
			// The one to keep is taken along: its box counts in both.
			var ended []sessions.Session
			err := st.change(ctx, home, func(b *box) bool {
				ended = b.end(func(f filed) bool { return f.Key != keep })
				b.Survives = string(next)
				return true
			})
			if err != nil {
				return deleted, err
			}
			st.recordAll(ctx, e, ended)
			deleted += len(ended)
		}
		before, err := st.replace(ctx, name, next)
		if err != nil {
			return deleted, err
		}
		if before != "" {
			over[before] = true
		}
	}
	err = st.backend.Boxes(ctx, func(keys []string) error {
		items, err := st.backend.Get(ctx, keys...)
		if err != nil {
			return err
		}
		for _, item := range items {
			if item.Key == home {
				continue
			}
			ended, err := st.clear(ctx, item, over)
			if err != nil {
				return err
			}
			st.recordAll(ctx, e, ended)
			deleted += len(ended)
		}
		return nil
	})
	return deleted, err
}

// replace gives a key another value, whatever it has, and says what that was.
func (st *Store) replace(ctx context.Context, key string, value []byte) (before string, err error) {
	for {
		items, err := st.backend.Get(ctx, key)
		if err != nil {
			return "", err
		}
		done := false
		if items[0].Value == nil {
			done, err = st.backend.Add(ctx, key, value, time.Time{})
		} else {
			done, err = st.backend.Swap(ctx, items[0], value, time.Time{})
		}
		if err != nil || done {
			return string(items[0].Value), err
		}
	}
}

// clear removes a box if it was of one of those generations, unless somebody
// has begun to use it anew, and gives the sessions that were in it.
func (st *Store) clear(ctx context.Context, item Item, over map[string]bool) ([]sessions.Session, error) {
	if item.Value == nil {
		return nil, nil
	}
	b, err := decode(item)
	if err != nil || !over[b.Generation] && !over[b.Survives] {
		return nil, err
	}
	removed, err := st.backend.Swap(ctx, item, nil, time.Time{})
	if err != nil || !removed {
		return nil, err
	}
	return b.end(func(f filed) bool { return f.From == nil }), nil
}
