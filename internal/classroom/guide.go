package classroom

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"coatcheck/internal/view"

	"github.com/go-chi/chi/v5"
)

// A Reading is a file of the shop's source, and why to read it now.
type Reading struct {
	File, Why string
	Tests     []string // files
}

// A Walk is a group of files that belong together.
type Walk struct {
	Title    string
	Readings []Reading
}

// Walks are the reading guide: the code in the order of the story.
var Walks = []Walk{
	{"The coat check, from top to bottom", []Reading{
		{"internal/sessions/sessions.go", "What a session is, and how long it lasts. Here the coat hangs: two references and three times.", []string{"internal/sessions/timeout_test.go"}},
		{"internal/sessions/id.go", "The ticket: 256 random bits, of which the store sees only a hash.", []string{"internal/sessions/id_test.go", "internal/sessions/fuzz_test.go"}},
		{"internal/sessions/store.go", "What a coat room has to promise. The hardest promise: dead stays dead.", []string{"internal/sessions/sessionstest/sessionstest.go", "internal/sessions/sessionstest/races.go"}},
		{"internal/sessions/manager.go", "What a shop can ask for: begin, sign in, sign out.", []string{"internal/sessions/signin_test.go", "internal/sessions/storedown_test.go"}},
		{"internal/sessions/lifecycle.go", "What these are made of: a session is made, moves to a new ID, and ends.", []string{"internal/sessions/signin_test.go", "internal/sessions/kept_test.go"}},
		{"internal/sessions/middleware.go", "What happens at each request, before the page’s own code runs.", []string{"internal/sessions/timeout_test.go", "internal/sessions/storedown_test.go"}},
		{"internal/sessions/cookie.go", "The name and the flags of the cookie, each with its reason.", []string{"internal/sessions/cookie_test.go"}},
		{"internal/sessions/account.go", "All sessions of an account, and how to end them.", []string{"internal/sessions/account_test.go"}},
		{"internal/sessions/event.go", "What goes on record, so that a session itself need not hold it.", []string{"internal/sessions/pgstore/record_test.go"}},
		{"internal/sessions/trace.go", "How others may watch. The X-ray listens here.", []string{"internal/sessions/trace_test.go"}},
	}},
	{"The coat room in Postgres", []Reading{
		{"internal/sessions/pgstore/pgstore.go", "About one statement a method: an insert, a look-up by primary key, an update, a delete. Never an upsert.", []string{"internal/sessions/pgstore/pgstore_test.go", "internal/sessions/pgstore/locks_test.go"}},
		{"internal/sessions/pgstore/record.go", "The record of what happened, which outlives the sessions.", []string{"internal/sessions/pgstore/record_test.go"}},
		{"internal/sessions/pgstore/sweep.go", "Clearing away what has expired, in small steps that hold up nobody.", []string{"internal/sessions/pgstore/sweep_test.go"}},
	}},
	{"Other coat rooms", []Reading{
		{"internal/sessions/memstore/memstore.go", "A map, and a lock around it. It is gone when the shop closes.", []string{"internal/sessions/memstore/memstore_test.go"}},
		{"internal/sessions/casstore/casstore.go", "Redis and Memcached change one value in one step, and no more. What that takes.", []string{"internal/sessions/sessionstest/history.go"}},
		{"internal/sessions/casstore/box.go", "A user’s sessions in one value, and how half a move is finished by whoever comes upon it.", []string{"internal/sessions/sessionstest/model.go"}},
		{"internal/sessions/casstore/move.go", "A move between two values that cannot be changed together.", []string{"internal/sessions/sessionstest/moves.go"}},
		{"internal/sessions/redisstore/redisstore.go", "Redis: one server, sentinels or a cluster.", []string{"internal/sessions/redisstore/once_test.go", "internal/sessions/redisstore/expiry_test.go"}},
		{"internal/sessions/memcachestore/memcachestore.go", "Memcached, and how little it promises.", []string{"internal/sessions/memcachestore/expiry_test.go", "internal/e2e/stores/limits_test.go"}},
	}},
	{"Signing in", []Reading{
		{"internal/web/login.go", "Where a guest becomes somebody. The order of the steps is what matters.", []string{"internal/web/login_test.go", "internal/web/latesignin_test.go"}},
		{"internal/auth/auth.go", "Is it the right password? And why a wrong e-mail address takes as long to refuse.", []string{"internal/auth/auth_test.go"}},
		{"internal/auth/password.go", "How passwords are kept: slowly, on purpose.", []string{"internal/auth/password_test.go"}},
		{"internal/auth/throttle.go", "How those who guess are slowed down, and the owner is not.", []string{"internal/auth/volley_test.go"}},
		{"internal/cart/merge.go", "What the guest had in the cart comes along.", []string{"internal/web/merge_test.go"}},
	}},
	{"Around it", []Reading{
		{"internal/web/visitor.go", "From “user 1, cart 7” to a name and a number of items, in one round trip.", []string{"internal/web/roundtrips_test.go"}},
		{"internal/web/cart.go", "The first thing worth remembering: here a guest’s session begins.", []string{"internal/web/additions_test.go"}},
		{"internal/web/routes.go", "The map of the shop, and the order in which a request passes through it.", []string{"internal/web/headers_test.go", "internal/web/crosssite_test.go"}},
		{"internal/web/sessionspage.go", "“Your sessions”: where an account is signed in.", []string{"internal/web/sessionspage_test.go"}},
		{"internal/xray/recording.go", "How the X-ray listens to all this without any of it knowing.", nil},
		{"internal/story/alice.go", "Alice’s story itself: what is asked, what must come back, and why.", []string{"internal/story/alice_test.go", "internal/web/story_test.go"}},
		{"internal/postgres/pgtest/pgtest.go", "How each test gets a database of its own, in a container where there is an engine.", []string{"internal/postgres/pgtest/pgtest_test.go"}},
	}},
}

// GuidePage is the reading guide.
type GuidePage struct {
	view.Layout
	Walks []Walk
}

// Template names the page's file.
func (*GuidePage) Template() string { return "guide.html" }

// FilePage shows a file of the source.
type FilePage struct {
	view.Layout
	File         string
	Why          string // what the guide says of it; empty for other files
	Tests        []string
	Lines        []Line
	Names        []Declaration // what is declared in it
	Before, Next string        // in the guide
}

// Template names the page's file.
func (*FilePage) Template() string { return "file.html" }

func guide(http.ResponseWriter, *http.Request) (view.Page, error) {
	p := &GuidePage{Walks: Walks}
	p.Title, p.Path = "The code", "/learn/code"
	return p, nil
}

func guideFile(_ http.ResponseWriter, r *http.Request) (view.Page, error) {
	l, err := theLibrary()
	if err != nil {
		return nil, err
	}
	p := &FilePage{File: chi.URLParam(r, "*")}
	if p.Lines, err = l.file(p.File); err != nil {
		return nil, err
	}
	for _, d := range l.inFile[p.File] {
		if _, short := splitName(d.Name); short != "_" {
			p.Names = append(p.Names, d)
		}
	}
	var all []Reading
	for _, w := range Walks {
		all = append(all, w.Readings...)
	}
	if i := slices.IndexFunc(all, func(r Reading) bool { return r.File == p.File }); i >= 0 {
		p.Why, p.Tests = all[i].Why, all[i].Tests
		if i > 0 {
			p.Before = all[i-1].File
		}
		if i+1 < len(all) {
			p.Next = all[i+1].File
		}
	}
	p.Title, p.Path = path.Base(p.File), "/learn/code/"+p.File
	return p, nil
}

// Base is the name of the file without its folders.
func (r Reading) Base() string { return strings.TrimPrefix(r.File, "internal/") }
