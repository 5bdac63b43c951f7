package sessions_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"coatcheck/internal/sessions"

	"github.com/jackc/pgx/v5"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// ASVS 5.0 V7.2.3 asks for 128 bits of randomness; these are 256. Nothing can
// prove that they cannot be guessed, but a generator that counts, repeats or
// leans to one side is found out here.
func TestMillionIDsHaveNoPairAndNoPattern(t *testing.T) {
	t.Parallel()
	const million, sample = 1_000_000, 100_000
	ids := make([][32]byte, million)
	var seen [43][256]int32
	for i := range ids {
		id := sessions.NewID()
		if len(id) != 43 {
			t.Fatalf("the ID %q has %d letters, want 43", id, len(id))
		}
		for place := 0; place < 43 && i < sample; place++ {
			seen[place][id[place]]++
		}
		if n, err := base64.RawURLEncoding.Decode(ids[i][:], []byte(id)); n != 32 || err != nil {
			t.Fatalf("the ID %q stands for %d bytes, %v; want 32", id, n, err)
		}
	}

	for place, counts := range seen {
		letters := alphabet
		if place == 42 { // the last letter has four bits left to say
			letters = "AEIMQUYcgkosw048"
		}
		expected := float64(sample) / float64(len(letters))
		chiSquared, sum := 0.0, int32(0)
		for i := range len(letters) {
			n := counts[letters[i]]
			sum += n
			chiSquared += (float64(n) - expected) * (float64(n) - expected) / expected
		}
		if sum != sample {
			t.Errorf("in place %d, %d letters are not of %s", place, sample-sum, letters)
		}
		if chiSquared > 200 { // by chance less than once in 10^15
			t.Errorf("in place %d the letters are not equally frequent: chi squared is %.0f", place, chiSquared)
		}
	}

	slices.SortFunc(ids, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	if distinct := len(slices.Compact(ids)); distinct != million {
		t.Errorf("%d of a million IDs came twice", million-distinct)
	}
}

func TestMalformedIDCostsNoQuery(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	good := s.arrives(sessions.Refs{UserID: 1}).id
	values := map[string]string{
		"empty":                 "",
		"one letter short":      good[:42],
		"one letter long":       good + "A",
		"doubled":               good + good,
		"padded":                good + "=",
		"in standard base64":    good[:42] + "+",
		"with a slash":          "/" + good[1:],
		"with a dot":            good[:20] + "." + good[21:],
		"percent-encoded":       "%41" + good[3:],
		"with a NUL":            good[:20] + "\x00" + good[21:],
		"with a line feed":      good[:20] + "\n" + good[21:],
		"a letter in UTF-8":     good[:41] + "é",
		"its key in hex":        hex.EncodeToString([]byte(good))[:64],
		"SQL":                   "' OR 1=1 --",
		"43 spaces":             strings.Repeat(" ", 43),
		"43 times a wrong byte": strings.Repeat("\xff", 43),
	}
	for _, n := range []int{1, 10, 100, 1_000, 4_096, 65_536, 1 << 20} {
		values[fmt.Sprintf("%d letters", n)] = strings.Repeat("A", n)
	}
	s.breakStore() // so that a query would show
	for name, value := range values {
		a := s.serve(s.request(s.name+"="+value), look)
		if a.live || !a.handled || a.calls("") != 0 {
			t.Errorf("%s: live %t, handled %t, %q", name, a.live, a.handled, a.told)
		}
		s.wantNoCookie(a)
	}
}

// Without Strict, three other last letters would stand for the same bytes.
func TestIDCanBeWrittenInOneWayOnly(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	good := s.arrives(sessions.Refs{UserID: 1})
	malformed := 0
	for _, last := range alphabet {
		v := s.visitor()
		v.id = good.id[:42] + string(last)
		if v.id == good.id {
			continue
		}
		switch a := v.must(look); {
		case a.ticket == sessions.TicketMalformed && a.calls("") == 0:
			malformed++
		case a.ticket != sessions.TicketUnknown:
			t.Errorf("with %c as its last letter the ID is %s", last, a.ticket)
		}
	}
	if malformed != 64-16 {
		t.Errorf("%d last letters are refused by their shape, want 48", malformed)
	}
	good.wantTicket(sessions.TicketLive)
}

func TestFlippedIDIsAnonymous(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	good := s.arrives(sessions.Refs{UserID: 1})
	for place := range 43 {
		for bit := range 6 {
			flipped := []byte(good.id)
			flipped[place] = alphabet[strings.IndexByte(alphabet, flipped[place])^1<<bit]
			v := &visitor{s, string(flipped)}
			a := v.must(look)
			if a.ticket != sessions.TicketUnknown && a.ticket != sessions.TicketMalformed || a.live {
				t.Errorf("bit %d of letter %d flipped: %s", bit, place, a.ticket)
			}
			s.wantNoCookie(a)
		}
	}
	good.wantTicket(sessions.TicketLive)
	s.wantRows(1)
}

func TestUnknownIDIsNeverAdopted(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]act{
		"begin":   begin(sessions.Refs{CartID: 1}),
		"sign in": signIn(sessions.Refs{UserID: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			planted := sessions.NewID()
			victim := &visitor{s, planted}
			victim.must(do)
			if victim.id == planted || victim.id == "" {
				t.Errorf("the planted ID %s became %q", planted, victim.id)
			}
			victim.wantTicket(sessions.TicketLive)
			(&visitor{s, planted}).wantTicket(sessions.TicketUnknown)
			s.wantRows(1)
		})
	}
}

// The browser may hold a newer cookie by the time this answer arrives.
func TestPageViewAnswersAnUnknownIDWithoutACookie(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := &visitor{s, sessions.NewID()}
	a := v.wantTicket(sessions.TicketUnknown)
	s.wantNoCookie(a)
	s.wantRows(0)
	if a.calls("") != 1 || a.calls("load") != 1 {
		t.Errorf("an unknown ID cost %q, want one load", a.told)
	}
}

func TestLookingAroundMakesNoSession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for range 100 {
		v := s.visitor()
		a := v.wantTicket(sessions.TicketNone)
		s.wantNoCookie(a)
		if a.calls("") != 0 {
			t.Fatalf("a visitor without a cookie cost %q", a.told)
		}
		(&visitor{s, rand.Text()}).wantTicket(sessions.TicketMalformed)
	}
	s.wantRows(0)
}

// X1: who reads the table, or a backup of it, holds no ticket.
func TestCopyOfTheTableOpensNobodysSession(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1, CartID: 2})
	v.must(signIn(sessions.Refs{UserID: 3, CartID: 4}))
	raw, err := base64.RawURLEncoding.DecodeString(v.id)
	if err != nil {
		t.Fatal(err)
	}

	rows, err := s.db.Query(t.Context(), `SELECT key, handle, sessions::text FROM sessions`)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Key          []byte
		Handle, Text string
	}
	dump, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{v.id, hex.EncodeToString(raw), hex.EncodeToString([]byte(v.id))} {
		if strings.Contains(dump.Text, secret) || strings.Contains(string(dump.Key), secret) {
			t.Errorf("the row %s holds the ID %s", dump.Text, secret)
		}
	}
	for _, stored := range []string{
		base64.RawURLEncoding.EncodeToString(dump.Key),
		hex.EncodeToString(dump.Key),
		string(dump.Key),
		dump.Handle,
	} {
		if a := s.serve(s.request(s.name+"="+stored), look); a.live {
			t.Errorf("the stored value %q works as a cookie", stored)
		}
	}
	if strings.Contains(v.id, dump.Handle) {
		t.Errorf("the handle %s is a piece of the ID %s", dump.Handle, v.id)
	}
	v.wantTicket(sessions.TicketLive)
}
