package e2e_test

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

// A wrong setting ends the program at once, with code 2 and one line that
// names it; what only running can show ends it with code 1, and as clearly.
func TestBadSettingsAreNamed(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	wrongPassword, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	wrongPassword.User = url.UserPassword("nobody_here", "hunter2hunter2")
	nobodyThere := "postgres://u:hunter2hunter2@" + process.FreeAddr(t) + "/shop"
	newer := pgtest.URL(t)
	if _, err := connect(t, newer).Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`); err != nil {
		t.Fatal(err)
	}
	unwritable := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(unwritable, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	cert, key, _ := certify(t)
	_, otherKey, _ := certify(t)

	for _, c := range []struct {
		setting string // the environment's; several are separated by spaces
		code    int
		names   string // what the line must say
	}{
		{"SHOP_SESSION_IDLE=0", 2, "SHOP_SESSION_IDLE"},
		{"SHOP_SESSION_IDLE=-5m", 2, "SHOP_SESSION_IDLE"},
		{"SHOP_SESSION_IDLE=soon", 2, "SHOP_SESSION_IDLE"},
		{"SHOP_SESSION_IDLE=13h", 2, "13h0m0s"},
		{"SHOP_SESSION_LIFETIME=0s", 2, "SHOP_SESSION_LIFETIME"},
		{"SHOP_SESSION_STORE=paper", 2, `SHOP_SESSION_STORE): there is no store "paper"`},
		{"SHOP_SESSION_STORE=redis", 2, "REDIS_URL): it is empty"},
		{"SHOP_SESSION_STORE=redis REDIS_URL=http://:hunter2@localhost", 2, "REDIS_URL"},
		{"SHOP_SESSION_STORE=redis REDIS_URL=redis://:hunter2@127.0.0.1:1", 1, "127.0.0.1:1"},
		{"SHOP_SESSION_STORE=memcached", 2, "SHOP_MEMCACHED): it is empty"},
		{"SHOP_SESSION_STORE=memcached SHOP_MEMCACHED=localhost", 2, `SHOP_MEMCACHED): "localhost"`},
		{"SHOP_SESSION_STORE=memcached SHOP_MEMCACHED=localhost:1", 1, "memcached"},
		{"SHOP_SESSION_STORE=memcached SHOP_MEMCACHED=localhost:1 SHOP_SESSION_NAMESPACE=a*b", 2, `SHOP_SESSION_NAMESPACE): "a*b"`},
		{"SHOP_KEEP_IDLE=0", 2, "SHOP_KEEP_IDLE"},
		{"SHOP_KEEP_IDLE=721h", 2, "721h0m0s"},
		{"SHOP_KEEP_LIFETIME=12h", 2, "SHOP_KEEP_LIFETIME"},
		{"SHOP_SESSION_LIFETIME=1000h", 2, "SHOP_KEEP_LIFETIME"},
		{"SHOP_RECORD_FOR=0", 2, "SHOP_RECORD_FOR"},
		{"SHOP_PATIENCE=0", 2, "SHOP_PATIENCE"},
		{"SHOP_SIGNUP_RATE=0", 2, "SHOP_SIGNUP_RATE"},
		{"SHOP_CART_RATE=-1", 2, "SHOP_CART_RATE"},
		{"SHOP_DRAIN=-1s", 2, "SHOP_DRAIN): -1s"},
		{"SHOP_DRAIN=5", 2, "SHOP_DRAIN"}, // of what?
		{"SHOP_TLS_CERT=/no/such/cert.pem", 2, "SHOP_TLS_KEY"},
		{"SHOP_TLS_KEY=/no/such/key.pem", 2, "/no/such/key.pem"},
		{"SHOP_TLS_CERT=" + cert + " SHOP_TLS_KEY=" + unwritable, 2, unwritable},
		{"SHOP_TLS_CERT=" + cert + " SHOP_TLS_KEY=" + otherKey, 2, otherKey},
		{"SHOP_TLS_CERT=" + cert + " SHOP_TLS_KEY=" + key + " SHOP_PUBLIC_URL=http://shop.example", 2, "SHOP_PUBLIC_URL"},
		{"SHOP_TLS_CERT=" + cert + " SHOP_TLS_KEY=" + key + " SHOP_REDIRECT_ADDR=nowhere", 2, "SHOP_REDIRECT_ADDR"},
		{"SHOP_TLS_CERT=" + cert + " SHOP_TLS_KEY=" + key + " SHOP_REDIRECT_ADDR=" + taken.Addr().String(), 2, taken.Addr().String()},
		{"SHOP_REDIRECT_ADDR=127.0.0.1:0", 2, "SHOP_REDIRECT_ADDR"},
		{"SHOP_METRICS_ADDR=nowhere", 2, "SHOP_METRICS_ADDR"},
		{"SHOP_METRICS_ADDR=" + taken.Addr().String(), 2, taken.Addr().String()},
		{"SHOP_LOGIN_RATE=0", 2, "SHOP_LOGIN_RATE"},
		{"SHOP_LOGIN_RATE=many", 2, "SHOP_LOGIN_RATE"},
		{"SHOP_PUBLIC_URL=shop.example", 2, "SHOP_PUBLIC_URL"},
		{"SHOP_PUBLIC_URL=ftp://shop.example", 2, "SHOP_PUBLIC_URL"},
		{"SHOP_PUBLIC_URL=https://shop.example/below", 2, "SHOP_PUBLIC_URL"},
		{"SHOP_TRUSTED_PROXIES=10.0.0.0/8,home", 2, `SHOP_TRUSTED_PROXIES): "home"`},
		{"SHOP_DEMO=maybe", 2, "SHOP_DEMO"},
		{"SHOP_ADDR=" + taken.Addr().String(), 2, taken.Addr().String()},
		{"SHOP_ADDR=nowhere", 2, "SHOP_ADDR"},
		{"SHOP_ADDR=", 2, "SHOP_ADDR"}, // to the system: any port, on every network
		{"SHOP_ADDR=127.0.0.1:99999", 2, "SHOP_ADDR"},
		{"SHOP_PEPPER_FILE=/no/such/file", 2, "/no/such/file"},
		{"DATABASE_URL=postgres://u:hunter2hunter2@[::1/shop", 2, "DATABASE_URL"},
		{"DATABASE_URL=mysql://u:hunter2hunter2@localhost/shop", 2, "DATABASE_URL"},
		{"DATABASE_URL=" + nobodyThere, 1, "DATABASE_URL"},
		{"DATABASE_URL=" + wrongPassword.String(), 1, "nobody_here"},
		{"DATABASE_URL=" + newer, 1, "99999"},
	} {
		t.Run(c.setting, func(t *testing.T) {
			t.Parallel()
			settings := []string{"SHOP_ADDR=" + process.FreeAddr(t), "DATABASE_URL=" + database}
			settings = append(settings, strings.Fields(c.setting)...)
			code, out := process.Run(t, settings)
			if code != c.code || !strings.Contains(out, c.names) || strings.Count(out, "\n") != 1 {
				t.Errorf("code %d, want %d and one line with %s:\n%s", code, c.code, c.names, out)
			}
			if strings.Contains(out, "hunter2") {
				t.Errorf("the password is in the message: %s", out)
			}
		})
	}

	t.Run("SHOP_DATA_DIR", func(t *testing.T) {
		t.Parallel()
		code, out := process.Run(t, []string{"SHOP_ADDR=" + process.FreeAddr(t), "SHOP_DATA_DIR=" + filepath.Join(unwritable, "data")})
		if code != 1 || !strings.Contains(out, unwritable) {
			t.Errorf("code %d, want 1 and a line with the directory:\n%s", code, out)
		}
	})
	t.Run("flag", func(t *testing.T) {
		t.Parallel()
		for _, wrong := range []string{"--session-idle=0", "--login-rate=abc", "--no-such-flag"} {
			flag, _, _ := strings.Cut(wrong, "=")
			code, out := process.Run(t, nil, "serve", wrong)
			if code != 2 || !strings.Contains(out, flag) || strings.Count(out, "\n") != 1 {
				t.Errorf("code %d, want 2 and one line with %s:\n%s", code, flag, out)
			}
		}
	})
}

// The other commands, one after another on one database.
func TestCommands(t *testing.T) {
	t.Parallel()
	database := pgtest.EmptyURL(t)
	env := []string{"DATABASE_URL=" + database}
	expect := func(wantCode int, want string, args ...string) {
		t.Helper()
		code, out := process.Run(t, env, args...)
		if code != wantCode || !strings.Contains(out, want) {
			t.Errorf("shop %s: code %d, want %d and %q:\n%s", strings.Join(args, " "), code, wantCode, want, out)
		}
	}
	expect(0, "shop ", "version")
	expect(0, "serve", "--help")
	expect(0, "pending", "migrate", "status")
	expect(0, "9 applied", "migrate", "up")
	expect(0, "0 applied", "migrate", "up")
	expect(0, "undone: 9", "migrate", "down")
	expect(0, "", "seed")
	expect(0, "", "seed") // twice is once
	db := connect(t, database)
	var users, products int
	if err := db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM products)`).Scan(&users, &products); err != nil {
		t.Fatal(err)
	}
	if users != 3 || products < 12 {
		t.Errorf("seeded: %d users and %d products; want 3 and at least 12", users, products)
	}

	shop := process.Open(t, env...)
	env = append(env, "SHOP_ADDR="+shop.Addr)
	expect(0, "ok", "healthcheck")
	shop.Stop()
	expect(1, "refused", "healthcheck")
}

// Without a seed nobody can sign in as Alice, however well known her password.
func TestNoDemoAccountsWithoutASeed(t *testing.T) {
	t.Parallel()
	shop := process.Open(t, "DATABASE_URL="+pgtest.URL(t))
	if p := visit(t, shop).signIn("alice"); p.status != 422 {
		t.Errorf("signing in as Alice: %d", p.status)
	}
	if p := visit(t, shop).get("/login"); strings.Contains(p.body, "coat-check-alice") {
		t.Error("the sign-in page names a demo account")
	}
}

// A shop that is no demonstration shows nobody what it does.
func TestNothingIsTaughtOutsideDemoMode(t *testing.T) {
	t.Parallel()
	shop := process.Open(t, "DATABASE_URL="+pgtest.URL(t))
	v := visit(t, shop)
	for _, path := range []string{"/story", "/story/1", "/learn", "/learn/S1", "/learn/code", "/learn/code/internal/sessions/id.go", "/xray", "/xray/1"} {
		if p := v.get(path); p.status != http.StatusNotFound {
			t.Errorf("%s is answered with %d", path, p.status)
		}
	}
	p := v.get("/")
	for _, trace := range []string{`id="xray"`, `href="/learn"`, `href="/story"`} {
		if strings.Contains(p.body, trace) {
			t.Errorf("the rail has %s on it", trace)
		}
	}
}

// Behind a proxy that speaks HTTPS, cookies are for HTTPS alone.
func TestPublicURLDecidesTheCookies(t *testing.T) {
	t.Parallel()
	shop := process.Open(t, "DATABASE_URL="+pgtest.URL(t), "SHOP_DEMO=true", "SHOP_PUBLIC_URL=https://shop.example")
	v := visit(t, shop)
	v.client.CheckRedirect = stay
	p := v.add("camel-overcoat")
	set := strings.Join(p.header.Values("Set-Cookie"), "\n")
	if !strings.Contains(set, "__Host-session=") || strings.Count(set, "; Secure") != 2 {
		t.Errorf("the cookies are\n%s", set)
	}
	if p.header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
}
