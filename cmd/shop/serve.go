package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/cart"
	"coatcheck/internal/classroom"
	"coatcheck/internal/metrics"
	"coatcheck/internal/orders"
	"coatcheck/internal/postgres"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/story"
	"coatcheck/internal/view"
	"coatcheck/internal/visitors"
	"coatcheck/internal/web"
	"coatcheck/internal/xray"
	"coatcheck/static"
	"coatcheck/templates"

	"github.com/jackc/pgx/v5"
)

type serve struct{ settings }

// Run opens the shop and keeps it open until ctx ends. What is set up last is
// taken down first: requests in flight finish, then the pool closes, then the
// shop's own Postgres stops.
func (c *serve) Run(ctx context.Context, t terminal) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	pepper, err := readPepper(c.PepperFile)
	if err != nil {
		return err
	}
	certificate, err := c.tlsConfig()
	if err != nil {
		return err
	}
	// All that a setting can have wrong shows here, before a database is opened.
	listener, err := listen(addrSetting, c.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	counts := metrics.New()
	sites, err := c.beside(listener, counts)
	if err != nil {
		return err
	}

	say := func(line string) { fmt.Fprintln(t.err, "shop:", line) }
	var tracer pgx.QueryTracer
	if c.demo() {
		tracer = xray.Tracer{}
	}
	db, err := c.open(ctx, say, tracer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	if _, err := postgres.Migrate(ctx, db.Pool); err != nil {
		return err
	}

	log := newLog(t.err)
	users, err := auth.New(auth.Config{DB: db.Pool, Pepper: pepper, Failures: c.LoginRate})
	if err != nil {
		return err
	}
	if c.demo() {
		if err := seedDemo(ctx, db.Pool, users); err != nil {
			return err
		}
	}
	store, err := c.openStore(ctx, db.Pool, log, c.Patience/4)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	if pg, ok := store.Store.(*pgstore.Store); ok && !c.demo() { // an X-ray shows each request's own look-up
		store.Store = visitors.Around(pgstore.Join(pg, c.Patience), db.Pool, c.Patience)
	}
	counts.Watch(db.Pool, store.live)
	var places []view.Place
	if c.demo() {
		places = classroom.Places(classroom.Config{Play: func(ctx context.Context) (*story.Transcript, error) {
			return playOnStage(ctx, db.Pool, &story.Alice, 0)
		}})
	}
	shop, err := newShop(web.Config{
		DB:             db.Pool,
		Store:          store.Store,
		Users:          users,
		Policy:         c.policy(),
		Kept:           c.kept(),
		RecordFor:      c.RecordFor,
		Patience:       c.Patience,
		SignUpRate:     c.SignUpRate,
		CartRate:       c.CartRate,
		Metrics:        counts,
		Log:            log,
		Demo:           c.demo(),
		Places:         places,
		PublicURL:      c.PublicURL,
		Secure:         c.secure(),
		TrustedProxies: c.TrustedProxies,
	})
	if err != nil {
		return err
	}

	inBackground, stop := context.WithCancel(context.Background())
	var background sync.WaitGroup
	background.Go(func() { shop.Sweep(inBackground, store.sweepEvery, c.SessionLifetime) })
	background.Go(func() { shop.Listen(inBackground) })
	defer background.Wait()
	defer stop()

	say("open at " + c.address(listener.Addr()))
	sites = append(sites, site{listener: listener, tls: certificate, handler: shop})
	return serveUntil(c.drained(ctx, shop, log), sites, db.exited(), log)
}

// newShop puts a shop together on its database. All that a shop needs and that
// is the same for each of them need not be in c.
func newShop(c web.Config) (*web.Shop, error) {
	c.Carts, c.Orders = cart.New(c.DB), orders.New(c.DB)
	if !c.Demo { // where an X-ray shows each request's own statements
		c.Carts = c.Carts.Together(cmp.Or(c.Patience, web.DefaultPatience))
	}
	c.Templates, c.Static = templates.Files, static.Files
	return web.New(c)
}

// beside opens the listeners that are set beside the shop's own.
func (c *serve) beside(shop net.Listener, counts *metrics.Metrics) (sites []site, err error) {
	if c.RedirectAddr != "" {
		plain, err := listen(redirectSetting, c.RedirectAddr)
		if err != nil {
			return nil, err
		}
		port := shop.Addr().(*net.TCPAddr).Port
		sites = append(sites, site{listener: plain, handler: toHTTPS(c.PublicURL, port)})
	}
	if c.MetricsAddr != "" {
		operators, err := listen(metricsSetting, c.MetricsAddr)
		if err != nil {
			return nil, err
		}
		only := http.NewServeMux()
		only.Handle("GET /metrics", counts.Handler())
		sites = append(sites, site{listener: operators, handler: only})
	}
	return sites, nil
}

// A site is a listener and what answers there.
type site struct {
	listener net.Listener
	tls      *tls.Config // nil: plain http
	handler  http.Handler
}

func listen(setting, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, settingError(setting, "cannot listen on %q: %w", addr, errors.Unwrap(err))
	}
	return l, nil
}

// drained is a context that ends when ctx has ended, and the time is over in
// which the shop is to go on serving.
func (c *serve) drained(ctx context.Context, shop *web.Shop, log *slog.Logger) context.Context {
	if c.Drain == 0 {
		return ctx
	}
	later, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		shop.Drain()
		log.Info("draining; the load balancer should send nobody more", "for", c.Drain)
		time.AfterFunc(c.Drain, end)
	})
	return later
}

// serveUntil answers requests until ctx ends, and then those that have begun.
func serveUntil(ctx context.Context, sites []site, databaseGone <-chan struct{}, log *slog.Logger) error {
	served := make(chan error, len(sites))
	servers := make([]*http.Server, len(sites))
	for i, at := range sites {
		server := newServer(at, log)
		servers[i] = server
		go func() {
			if at.tls != nil {
				served <- server.ServeTLS(at.listener, "", "") // speaks HTTP/2 as well
			} else {
				served <- server.Serve(at.listener)
			}
		}()
	}

	var reason error
	select {
	case reason = <-served:
	case <-databaseGone:
		reason = errors.New("the shop's own Postgres has ended by itself; its log is in the data directory")
	case <-ctx.Done():
		log.Info("closing; requests in flight may finish")
	}
	finish, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, server := range servers {
		reason = errors.Join(reason, server.Shutdown(finish))
	}
	return reason
}

// newServer sets limits: a client that is slow on purpose must not hold a
// connection for long, nor make the server keep much for it.
func newServer(at site, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           at.handler,
		TLSConfig:         at.tls,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// address is where a person finds the shop.
func (c *serve) address(listening net.Addr) string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	scheme, tcp := "http", listening.(*net.TCPAddr)
	if c.TLSCert != "" {
		scheme = "https"
	}
	if tcp.IP.IsLoopback() || tcp.IP.IsUnspecified() {
		return fmt.Sprintf("%s://localhost:%d", scheme, tcp.Port)
	}
	return scheme + "://" + tcp.String()
}
