package classroom_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"

	"coatcheck/internal/auth"
	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/classroom"
	"coatcheck/internal/orders"
	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/web"
	"coatcheck/internal/xray"
	"coatcheck/static"
	"coatcheck/templates"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
)

// A visitor walks through a shop in demo mode, the classroom in it.
type visitor struct {
	t    *testing.T
	url  string
	http *http.Client
}

func visit(t *testing.T) *visitor {
	t.Helper()
	return visitWith(t, classroom.Config{})
}

func visitWith(t *testing.T, c classroom.Config) *visitor {
	t.Helper()
	server := httptest.NewServer(open(t, pgtest.NewTraced(t, xray.Tracer{}), c))
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil) // has no error to return
	return &visitor{t, server.URL, &http.Client{Transport: server.Client().Transport, Jar: jar}}
}

func open(t *testing.T, db *pgxpool.Pool, c classroom.Config) *web.Shop {
	t.Helper()
	users, err := auth.New(auth.Config{DB: db, Cost: bcrypt.MinCost})
	if err != nil {
		t.Fatal(err)
	}
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := users.SeedDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	shop, err := web.New(web.Config{
		DB: db, Users: users, Carts: cart.New(db), Orders: orders.New(db),
		Store: pgstore.New(db), Policy: sessions.DefaultPolicy,
		Templates: templates.Files, Static: static.Files,
		Log: slog.New(slog.DiscardHandler), Demo: true, Places: classroom.Places(c),
	})
	if err != nil {
		t.Fatal(err)
	}
	return shop
}

func (v *visitor) get(path string) (status int, body string) {
	v.t.Helper()
	a, err := v.http.Get(v.url + path)
	return v.read(a, err)
}

func (v *visitor) signIn() {
	v.t.Helper()
	a, err := v.http.PostForm(v.url+"/login", url.Values{"email": {"alice@example.com"}, "password": {"coat-check-alice"}})
	if status, _ := v.read(a, err); status != http.StatusOK {
		v.t.Fatalf("the sign-in is answered with %d", status)
	}
}

func (v *visitor) read(a *http.Response, err error) (status int, body string) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return a.StatusCode, string(text)
}
