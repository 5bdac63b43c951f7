package e2e_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

// tell runs the command, and looks for secrets in all that it says.
func tell(t *testing.T, env []string, args ...string) (code int, out string) {
	t.Helper()
	code, out = process.Run(t, env, append([]string{"story"}, args...)...)
	if found := regexp.MustCompile(`[A-Za-z0-9_-]{43,}`).FindAllString(out, -1); found != nil {
		t.Errorf("the output has what may be IDs in it: %q", found)
	}
	if strings.Contains(out, "coat-check-alice") {
		t.Error("the output has the password in it")
	}
	if strings.Contains(out, "\x1b") {
		t.Error("the output has colours, and is for no terminal")
	}
	return code, out
}

// told expects that the story was played to its end and went as it is told.
func told(t *testing.T, code int, out string) {
	t.Helper()
	if code != 0 || strings.Contains(out, "✗") || !strings.Contains(out, "25 of 25 steps") || !strings.Contains(out, "expectations held") {
		t.Errorf("the story did not hold, code %d:\n%s", code, out)
	}
}

// newRole makes a user of Postgres, and gives the address with that name in it.
func newRole(t *testing.T, database, rights string) (role, address string) {
	t.Helper()
	db := connect(t, database)
	role = "coatcheck_" + strings.ToLower(rand.Text())
	if _, err := db.Exec(t.Context(), `CREATE ROLE `+role+` LOGIN PASSWORD 'of-a-test' `+rights); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec(context.Background(), `DROP OWNED BY `+role+`; DROP ROLE `+role); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "of-a-test")
	return role, u.String()
}

func TestStoryIsPlayedOnADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	database := pgtest.EmptyURL(t) // the shop's own is left alone, so it may be empty
	role, address := newRole(t, database, "CREATEDB")
	code, out := tell(t, []string{"DATABASE_URL=" + address})
	told(t, code, out)
	if strings.Contains(out, "Cannot be shown") || strings.Contains(out, "demo mode") {
		t.Errorf("something could not be shown:\n%s", out)
	}
	for _, want := range []string{"the second server", "look-ups", "SELECT s.handle", "password = ••••••••", "✓ the X-ray says: the session moved to a new ID"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	db := connect(t, database)
	var left, tables int
	err := db.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM pg_database WHERE datdba = $1::regrole), (SELECT count(*) FROM pg_tables WHERE schemaname = 'public')`, role).Scan(&left, &tables)
	if err != nil || left != 0 || tables != 0 {
		t.Errorf("the play has left %d databases, and %d tables in the shop's own, %v", left, tables, err)
	}
}

func TestStoryWithoutADatabaseIsExplained(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	role, address := newRole(t, database, "")
	code, out := tell(t, []string{"DATABASE_URL=" + address})
	if code != 1 || strings.Count(out, "\n") != 1 || !strings.Contains(out, "DATABASE_URL") || !strings.Contains(out, "ALTER ROLE") || !strings.Contains(out, role) {
		t.Errorf("a user who may not create databases: code %d, and\n%s", code, out)
	}
}

func TestStoryIsPlayedOnShopsThatAreOpen(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	first := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	second := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	alice := visit(t, first)
	alice.signIn("alice") // her cart is not empty when the story begins
	alice.add("lambswool-scarf").is(t, "Alice", "1")
	alice.post("/logout")

	const noRestart, noSecond = "only whoever runs the server can restart it", "there is only one server here"
	for name, urls := range map[string][]string{
		"two servers": {"--url", first.URL, "--url", second.URL + "/"},
		"one server":  {"--url", first.URL},
	} {
		code, out := tell(t, nil, urls...)
		told(t, code, out)
		flat := strings.Join(strings.Fields(out), " ") // as it was before its lines were broken
		if !strings.Contains(flat, "Cannot be shown from outside: "+noRestart) {
			t.Errorf("%s: it is not told that there was no restart:\n%s", name, out)
		}
		if got, want := strings.Count(flat, noSecond), map[string]int{"two servers": 0, "one server": 3}[name]; got != want {
			t.Errorf("%s: it is told %d times that there is but one; want %d", name, got, want)
		}
	}
	if n := sessionCount(t, connect(t, database)); n != 0 {
		t.Errorf("the story has left %d sessions", n)
	}

	// Two shops that know nothing of one another.
	stranger := process.Open(t, "DATABASE_URL="+pgtest.URL(t), "SHOP_DEMO=true")
	code, out := tell(t, nil, "--url", first.URL, "--url", stranger.URL)
	if code != 1 || !strings.Contains(out, "✗ the page greets Alice; it greets nobody") || !strings.Contains(out, "did not hold") {
		t.Errorf("on two databases the story ends with code %d:\n%s", code, out)
	}
}

func TestStoryIsToldWithoutXRays(t *testing.T) {
	t.Parallel()
	settings := []string{"DATABASE_URL=" + pgtest.URL(t)}
	shop := process.Open(t, settings...)
	const once = "not in demo mode"
	code, out := tell(t, nil, "--url", shop.URL)
	if code != 1 || !strings.Contains(out, "The story ends here") || strings.Contains(out, "25/25") {
		t.Errorf("without Alice's account: code %d, and\n%s", code, out)
	}
	if code, out := process.Run(t, settings, "seed"); code != 0 {
		t.Fatal(out)
	}
	code, out = tell(t, nil, "--url", shop.URL)
	told(t, code, out)
	if strings.Count(out, once) != 1 || strings.Contains(out, "look-ups") {
		t.Errorf("that there are no X-rays is not told just once:\n%s", out)
	}
}

func TestBadURLsOfAStoryAreNamed(t *testing.T) {
	t.Parallel()
	nobody := process.FreeAddr(t)
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, `--url: "localhost:8080"`, []string{"--url", "localhost:8080"}},
		{2, `--url: ""`, []string{"--url", ""}},
		{2, `--url: "ftp://shop.example"`, []string{"--url", "ftp://shop.example"}},
		{2, `--url: "http://shop.example/cart"`, []string{"--url", "http://shop.example/cart", "--curl"}},
		{2, `--url: there are 3`, []string{"--url", "http://a.example", "--url", "http://b.example", "--url", "http://c.example"}},
		{1, "http://" + nobody + " does not answer", []string{"--url", "http://" + nobody}},
	} {
		code, out := tell(t, nil, c.args...)
		if code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%q: code %d, want %d and %s:\n%s", c.args, code, c.code, c.says, out)
		}
	}
}

func TestStoryIsPlayedOnAPage(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	shop := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	alice := visit(t, shop)
	alice.signIn("alice")
	ticket := alice.ticket()
	p := alice.post("/story").is(t, "Alice", "0")
	if p.path != "/story/1" || !strings.Contains(p.body, "came just so") {
		t.Errorf("the play leads to %s:\n%s", p.path, p.body)
	}
	db := connect(t, database)
	var orders int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM orders`).Scan(&orders); err != nil || orders != 0 || sessionCount(t, db) != 1 || alice.ticket() != ticket {
		t.Errorf("the play on a stage has changed the shop: %d orders, %d sessions, %v", orders, sessionCount(t, db), err)
	}
	// What happens on the stage is no part of the request that has had it raised.
	number := alice.get("/xray").mark(`href="/xray/(\d+)"><code>POST /story<`)
	if xray := alice.get("/xray/" + number); !strings.Contains(xray.body, "The session: load") || strings.Contains(xray.body, "INSERT") {
		t.Errorf("the X-ray of the request that plays the story is\n%s", xray.body)
	}
	if p := alice.get("/story/2"); p.status != http.StatusNotFound {
		t.Errorf("a play that nobody has had played is answered with %d", p.status)
	}
}
