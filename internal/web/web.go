// Package web is the shop as visitors see it: its addresses, its pages and its
// forms.
//
// Start with routes.go, which has the whole map on one screen. Each page has a
// file of its own, with its struct, its handler and its form beside each
// other. A handler returns an error instead of answering with one; errors.go
// turns errors into pages.
package web

import (
	"cmp"
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/metrics"
	"coatcheck/internal/orders"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/view"
	"coatcheck/internal/visitors"
	"coatcheck/internal/xray"

	"github.com/go-chi/httprate"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Config is what the shop is made of.
type Config struct {
	DB     *pgxpool.Pool
	Users  *auth.Users
	Carts  *cart.Carts
	Orders *orders.Orders
	Store  sessions.Store
	Policy sessions.Policy
	Kept   sessions.Policy // of those who stay signed in; zero means sessions.DefaultKept

	// SignUpRate and CartRate are how many sign-ups in an hour, and changes of
	// carts in a minute, one address may make; zero means the default.
	SignUpRate, CartRate int
	// RecordFor is how long what happened to sessions is on record; zero
	// means DefaultRecordFor.
	RecordFor time.Duration

	// Patience is how long a page may take; zero means DefaultPatience.
	Patience time.Duration

	Templates, Static fs.FS

	Log     *slog.Logger
	Metrics *metrics.Metrics // nil: some that nobody reads
	Now     func() time.Time // nil means time.Now
	Demo    bool             // show the seed accounts on the sign-in page, and an X-ray at the foot of every page
	Places  []view.Place     // pages that are not the shop's own

	// PublicURL is the shop's origin as browsers see it, such as
	// https://shop.example, or empty if that is where it listens.
	PublicURL string
	// Secure says that browsers speak HTTPS to the shop.
	Secure bool
	// TrustedProxies are the networks, as CIDRs, whose X-Forwarded-For counts.
	TrustedProxies []string
}

// DefaultRecordFor is long enough to look into what a visitor noticed weeks
// later, and no longer than that: the record names people's addresses.
const DefaultRecordFor = 90 * 24 * time.Hour

// Shop answers requests.
type Shop struct {
	db                     *pgxpool.Pool
	users                  *auth.Users
	carts                  *cart.Carts
	orders                 *orders.Orders
	catalog                *catalog.Catalogue
	visitors               *visitors.Visitors
	store                  sessions.Store
	sessions               *sessions.Manager
	pages                  *view.Templates
	assets                 *view.Assets
	log                    *slog.Logger
	metrics                *metrics.Metrics
	xray                   *xray.Recorder // nil outside demo mode
	places                 []view.Place
	now                    func() time.Time
	demo                   bool
	secure                 bool
	kept                   sessions.Policy
	recordFor, patience    time.Duration
	signUpLimit, cartLimit *httprate.RateLimiter
	draining               atomic.Bool
	handler                http.Handler
}

// New sets up the shop. Its errors are about the configuration.
func New(c Config) (*Shop, error) {
	s := &Shop{
		db: c.DB, users: c.Users, carts: c.Carts, orders: c.Orders, store: c.Store,
		log: c.Log, metrics: c.Metrics, now: c.Now, demo: c.Demo, secure: c.Secure, kept: c.Kept, recordFor: c.RecordFor, patience: cmp.Or(c.Patience, DefaultPatience), places: c.Places,
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.catalog = catalog.New(s.db, s.patience, s.now)
	s.visitors = visitors.New(s.db, s.patience)
	if s.kept == (sessions.Policy{}) {
		s.kept = sessions.DefaultKept
	}
	s.signUpLimit = newLimit(cmp.Or(c.SignUpRate, DefaultSignUpRate), time.Hour)
	s.cartLimit = newLimit(cmp.Or(c.CartRate, DefaultCartRate), time.Minute)
	if s.recordFor == 0 {
		s.recordFor = DefaultRecordFor
	}
	if s.metrics == nil {
		s.metrics = metrics.New()
	}
	var err error
	if s.assets, err = view.NewAssets(c.Static); err != nil {
		return nil, err
	}
	if s.pages, err = view.Parse(c.Templates, s.assets); err != nil {
		return nil, err
	}
	s.sessions, err = sessions.NewManager(sessions.Config{
		Store: c.Store, Policy: c.Policy, Kept: s.kept, Secure: c.Secure,
		Now: s.now, Address: clientAddress, Failed: s.fail,
	})
	if err != nil {
		return nil, err
	}
	if c.Demo {
		_, inTable := c.Store.(*pgstore.Store)
		s.xray = &xray.Recorder{Policy: s.sessions.PolicyOf, Now: s.now, Secure: c.Secure, InTable: inTable}
	}
	s.handler, err = s.routes(c.PublicURL, c.TrustedProxies)
	return s, err
}

func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		w.Header().Set("Connection", "close")
	}
	s.handler.ServeHTTP(w, r)
}

// Drain prepares for the end, when there are other servers: this one is no
// longer ready, so that the load balancer sends visitors to the others. Who
// comes all the same is served, and then the connection is closed, so that the
// next request cannot come by it just when the server goes.
func (s *Shop) Drain() { s.draining.Store(true) }

// Sweep clears away what is over, every so often, until ctx ends: sessions,
// counts of failed sign-ins, carts of guests whose session must be over, and
// what has been on record for long enough.
func (s *Shop) Sweep(ctx context.Context, every time.Duration, lifetime time.Duration) {
	s.sessions.SweepEvery(ctx, every, func(removed int, err error) {
		s.metrics.Swept(removed)
		s.swept(ctx, "sessions", removed, err)
		removed, err = s.users.SweepFailures(ctx)
		s.swept(ctx, "failed sign-ins", removed, err)
		removed, err = s.carts.SweepGuests(ctx, s.now().Add(-lifetime))
		s.swept(ctx, "guests' carts", removed, err)
		removed, err = pgstore.TrimRecord(ctx, s.db, s.now().Add(-s.recordFor))
		s.swept(ctx, "old records", removed, err)
	})
}

// Listen hears of changes of products until ctx ends. Without it the shop asks
// for them at each page that shows some.
func (s *Shop) Listen(ctx context.Context) {
	s.catalog.Listen(ctx, func(err error) { s.log.WarnContext(ctx, "products are asked for at each page", "error", err) })
}

func (s *Shop) swept(ctx context.Context, what string, removed int, err error) {
	switch {
	case ctx.Err() != nil: // the shop is closing
	case err != nil:
		s.log.ErrorContext(ctx, "sweep failed", "what", what, "error", err)
	case removed > 0:
		s.log.InfoContext(ctx, "swept", "what", what, "removed", removed)
	}
}
