package casstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"coatcheck/internal/sessions"
)

// box is the value in which sessions lie, and the notes of those that have
// moved away.
type box struct {
	Generation string  `json:"generation"`         // counts if it is the present one
	Survives   string  `json:"survives,omitempty"` // the next generation, if it is to count then, too
	Sessions   []filed `json:"sessions,omitempty"`
	Moved      []note  `json:"moved,omitempty"`

	item   Item // as it was found
	now    Item // the present generation
	userID int64
}

// filed is a session and the key that it is filed under.
type filed struct {
	Key       string `json:"key"`
	Handle    string `json:"handle"`
	CartID    int64  `json:"cart,omitempty"`
	CreatedAt moment `json:"created"`
	IdleUntil moment `json:"idle_until"`
	Until     moment `json:"until"`
	// From is the session that this one takes the place of. While it is here,
	// this one counts only if the move has happened.
	From *origin `json:"from,omitempty"`
}

// origin is where a session that moves comes from.
type origin struct {
	Key string `json:"key"`
	Box string `json:"box"`
	At  moment `json:"at"` // when it moves
}

// note says that a session has moved from one key to another.
type note struct {
	From string `json:"from"`
	To   string `json:"to"`
	At   moment `json:"at"`
}

// moment is a time in microseconds since 1970.
type moment struct{ time.Time }

func (m moment) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, m.UnixMicro(), 10), nil }

func (m *moment) UnmarshalJSON(text []byte) error {
	us, err := strconv.ParseInt(string(text), 10, 64)
	m.Time = time.UnixMicro(us).UTC()
	return err
}

func (f *filed) session(userID int64) sessions.Session {
	return sessions.Session{
		Handle: f.Handle, Refs: sessions.Refs{UserID: userID, CartID: f.CartID},
		CreatedAt: f.CreatedAt.Time, IdleUntil: f.IdleUntil.Time, Until: f.Until.Time,
	}
}

func newFiled(key string, s sessions.Session) filed {
	return filed{
		Key: key, Handle: s.Handle, CartID: s.CartID,
		CreatedAt: moment{s.CreatedAt}, IdleUntil: moment{s.IdleUntil}, Until: moment{s.Until},
	}
}

// put files a session that waits for nothing.
func (b *box) put(key string, s sessions.Session) { b.Sessions = append(b.Sessions, newFiled(key, s)) }

// find gives the session under a key, or nil.
func (b *box) find(key string) *filed {
	for i := range b.Sessions {
		if b.Sessions[i].Key == key {
			return &b.Sessions[i]
		}
	}
	return nil
}

func (b *box) drop(key string) {
	b.Sessions = slices.DeleteFunc(b.Sessions, func(f filed) bool { return f.Key == key })
}

// left reports whether there is a note of that move.
func (b *box) left(from, to string) bool {
	return slices.ContainsFunc(b.Moved, func(n note) bool { return n.From == from && n.To == to })
}

// end takes out the sessions that are doomed, and gives them.
func (b *box) end(doomed func(filed) bool) (ended []sessions.Session) {
	b.Sessions = slices.DeleteFunc(b.Sessions, func(f filed) bool {
		if !doomed(f) {
			return false
		}
		ended = append(ended, f.session(b.userID))
		return true
	})
	return ended
}

// open reads a box, and finishes the moves into it that are half done. Nobody
// changes a box before they have done the same; so what is found out of those
// moves and what was read of the box were true at one moment together.
func (st *Store) open(ctx context.Context, name string) (*box, error) {
	b, err := st.look(ctx, name)
	if err != nil {
		return nil, err
	}
	return b, st.settle(ctx, b)
}

// look reads a box as it lies there.
func (st *Store) look(ctx context.Context, name string) (*box, error) {
	boxes, err := st.lookAll(ctx, []string{name})
	if err != nil {
		return nil, err
	}
	return boxes[0], nil
}

// lookAll reads several in one round trip.
func (st *Store) lookAll(ctx context.Context, names []string) ([]*box, error) {
	var keys []string
	at := map[string]int{} // where in keys a generation is
	for _, name := range names {
		if g := generationOf(name); at[g] == 0 {
			keys = append(keys, g)
			at[g] = len(names) + len(keys) - 1
		}
	}
	items, err := st.backend.Get(ctx, append(slices.Clone(names), keys...)...)
	if err != nil {
		return nil, err
	}
	boxes := make([]*box, len(names))
	for i, name := range names {
		if boxes[i], err = read(items[i], items[at[generationOf(name)]]); err != nil {
			return nil, err
		}
	}
	return boxes, nil
}

// read makes a box of a value. One of another generation is empty.
func read(item, now Item) (*box, error) {
	b, err := decode(item)
	if err != nil {
		return nil, err
	}
	if present := string(now.Value); now.Value == nil || b.Generation != present && b.Survives != present {
		b.Survives, b.Sessions, b.Moved = "", nil, nil
	}
	b.now = now
	return b, nil
}

func decode(item Item) (*box, error) {
	b := &box{item: item, userID: userOf(item.Key)}
	if item.Value != nil {
		if err := json.Unmarshal(item.Value, b); err != nil {
			return nil, fmt.Errorf("read %s: %w", item.Key, err)
		}
	}
	return b, nil
}

// settle finishes the moves into a box that are half done.
func (st *Store) settle(ctx context.Context, b *box) error {
	for _, f := range slices.Clone(b.Sessions) {
		if f.From == nil {
			continue
		}
		moved, err := st.finish(ctx, f)
		if err != nil {
			return err
		}
		if moved {
			b.find(f.Key).From = nil
		} else {
			b.drop(f.Key)
		}
	}
	return nil
}

// finish finishes the move of a session that waits in its new box, whoever has
// begun it: it takes the old one out of its box, unless that has died before,
// and then the move has failed for good. It may be called many times.
func (st *Store) finish(ctx context.Context, f filed) (moved bool, err error) {
	for {
		from, err := st.look(ctx, f.From.Box)
		if err != nil {
			return false, err
		}
		if from.left(f.From.Key, f.Key) {
			return true, nil
		}
		old := from.find(f.From.Key)
		if old == nil {
			return false, nil
		}
		if old.From != nil { // it has come there by a move of its own
			if lived, err := st.finish(ctx, *old); err != nil || !lived {
				return false, err
			}
		}
		from.drop(old.Key)
		from.Moved = append(from.Moved, note{f.From.Key, f.Key, f.From.At})
		put, err := st.putBack(ctx, from)
		if err != nil || put {
			return put, err
		}
	}
}

// change opens a box, lets f change it, and puts it back, and does it all again
// until nobody has changed it meanwhile. Who is too slow has lost to somebody
// who was not, so together they get on. If f returns false the box stays as it is.
func (st *Store) change(ctx context.Context, name string, f func(*box) bool) error {
	for {
		b, err := st.open(ctx, name)
		if err != nil || !f(b) {
			return err
		}
		put, err := st.putBack(ctx, b)
		if err != nil || put {
			return err
		}
	}
}

// putBack swaps what was found for what has become of it.
func (st *Store) putBack(ctx context.Context, b *box) (bool, error) {
	if b.now.Value == nil { // the first box, or the generation's value was lost, and all its boxes with it
		b.now.Value = []byte(rand.Text())
		if added, err := st.backend.Add(ctx, b.now.Key, b.now.Value, time.Time{}); err != nil || !added {
			return false, err
		}
	}
	b.Generation = string(b.now.Value)
	if b.Survives == b.Generation {
		b.Survives = ""
	}
	b.Moved = slices.DeleteFunc(b.Moved, func(n note) bool { return time.Since(n.At.Time) > movedFor })
	var until time.Time
	for _, f := range b.Sessions {
		s := f.session(b.userID)
		if at := expiry(s.Ends()); at.After(until) {
			until = at
		}
	}
	for _, n := range b.Moved {
		if at := n.At.Add(movedFor); at.After(until) {
			until = at
		}
	}
	if until.IsZero() { // nothing is left in it
		if b.item.Value == nil {
			return true, nil
		}
		return st.backend.Swap(ctx, b.item, nil, until)
	}
	value, err := json.Marshal(b)
	if err != nil {
		return false, err
	}
	if b.item.Value == nil {
		return st.backend.Add(ctx, b.item.Key, value, until)
	}
	return st.backend.Swap(ctx, b.item, value, until)
}
