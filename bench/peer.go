package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/money"
	"coatcheck/internal/view"
	"coatcheck/internal/web"
	"coatcheck/static"
	"coatcheck/templates"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// serve is this program as a contestant.
func serve(name, addr, database string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return err
	}
	config.MaxConns = 8 // as many as the shop has
	if name == "scs" {
		config.ConnConfig.RuntimeParams["search_path"] = "scs, public"
	}
	db, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer db.Close()
	makers := map[string]func(*pgxpool.Pool) (http.Handler, error){
		"scs": scsHandler, "gorilla": gorillaHandler, "select": selectHandler, "fixed": fixedHandler,
	}
	handler, err := makers[name](db)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {})
	mux.Handle("/", handler)
	server := &http.Server{Addr: addr, Handler: mux}
	context.AfterFunc(ctx, func() { server.Shutdown(context.Background()) })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// refs is what a peer keeps in its session, which is what the shop keeps.
type refs struct{ user, cart int64 }

// pages are the shop's pages as one would write them with a session library:
// look up what the page shows, one query after the other, and run its template.
// They show the same, by the same templates.
type pages struct {
	*http.ServeMux
	db        *pgxpool.Pool
	session   func(http.ResponseWriter, *http.Request) (refs, error)
	templates map[string]*template.Template
}

func newPages(db *pgxpool.Pool, session func(http.ResponseWriter, *http.Request) (refs, error)) (*pages, error) {
	p := &pages{http.NewServeMux(), db, session, map[string]*template.Template{}}
	assets, err := view.NewAssets(static.Files)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"catalogue.html", "cart.html"} {
		page := template.New("layout.html")
		page.Funcs(template.FuncMap{"asset": assets.Address, "picture": assets.Picture, "kept": func(name string, shows any) (template.HTML, error) {
			var b strings.Builder
			err := page.ExecuteTemplate(&b, name, shows) // each time
			return template.HTML(b.String()), err
		}})
		if p.templates[name], err = page.ParseFS(templates.Files, "layout.html", name); err != nil {
			return nil, err
		}
	}
	p.HandleFunc("GET /{$}", answer(p.catalogue))
	p.HandleFunc("GET /cart", answer(p.cart))
	p.HandleFunc("POST /cart/items", answer(p.add))
	return p, nil
}

func answer(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			log.Print(err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

// layout looks up the session, and who is looking.
func (p *pages) layout(w http.ResponseWriter, r *http.Request, title, path string) (l view.Layout, at refs, err error) {
	l.Title, l.Path = title, path
	if at, err = p.session(w, r); err != nil || at == (refs{}) {
		return l, at, err
	}
	l.Left.Seconds = 30 * 60
	err = p.db.QueryRow(r.Context(), `
		SELECT u.name, u.email, (SELECT coalesce(sum(quantity), 0) FROM cart_items WHERE cart_id = $2)
		FROM users u WHERE u.id = $1 AND u.disabled_at IS NULL`, at.user, at.cart).
		Scan(&l.Visitor.Name, &l.Visitor.Email, &l.Visitor.CartCount)
	return l, at, err
}

func (p *pages) catalogue(w http.ResponseWriter, r *http.Request) error {
	var page struct {
		view.Layout
		Rail catalog.Rail
	}
	var err error
	if page.Layout, _, err = p.layout(w, r, "Coats", "/"); err != nil {
		return err
	}
	rows, err := p.db.Query(r.Context(), `
		SELECT id, slug, name, category, description, price_cents, stock FROM products ORDER BY id`)
	if err != nil {
		return err
	}
	if page.Rail.Products, err = pgx.CollectRows(rows, pgx.RowToStructByPos[catalog.Product]); err != nil {
		return err
	}
	return p.render(w, "catalogue.html", &page)
}

func (p *pages) cart(w http.ResponseWriter, r *http.Request) error {
	var page struct {
		view.Layout
		Lines []web.CartLine
		Total money.Cents
	}
	var at refs
	var err error
	if page.Layout, at, err = p.layout(w, r, "Your cart", "/cart"); err != nil {
		return err
	}
	rows, err := p.db.Query(r.Context(), `
		SELECT p.id, p.slug, p.name, p.price_cents, i.quantity, p.stock
		FROM cart_items i JOIN products p ON p.id = i.product_id
		WHERE i.cart_id = $1 ORDER BY p.id`, at.cart)
	if err != nil {
		return err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByPos[cart.Line])
	if err != nil {
		return err
	}
	for _, l := range lines {
		page.Lines = append(page.Lines, web.CartLine{Line: l})
	}
	page.Total = cart.Total(lines)
	return p.render(w, "cart.html", &page)
}

func (p *pages) add(w http.ResponseWriter, r *http.Request) error {
	at, err := p.session(w, r)
	if err != nil {
		return err
	}
	quantity, err := strconv.Atoi(r.PostFormValue("quantity"))
	if err != nil {
		return err
	}
	tag, err := p.db.Exec(r.Context(), `
		INSERT INTO cart_items AS i (cart_id, product_id, quantity)
		SELECT $1, id, $3 FROM products WHERE slug = $2 AND stock >= $3
		ON CONFLICT (cart_id, product_id) DO UPDATE SET quantity = i.quantity + excluded.quantity
		WHERE i.quantity + excluded.quantity <= 20`, at.cart, r.PostFormValue("product"), quantity)
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("cart %d does not take it", at.cart)
	}
	http.Redirect(w, r, "/cart", http.StatusSeeOther)
	return nil
}

func (p *pages) render(w http.ResponseWriter, name string, page any) error {
	var b bytes.Buffer
	if err := p.templates[name].Execute(&b, page); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.Write(b.Bytes())
	return nil
}

// selectHandler answers 7 bytes after one look-up by primary key.
func selectHandler(db *pgxpool.Pool) (http.Handler, error) {
	return answer(func(w http.ResponseWriter, r *http.Request) error {
		ticket, err := r.Cookie("session")
		if err != nil {
			return err
		}
		var user int64
		if err := db.QueryRow(r.Context(), `SELECT user_id FROM sessions WHERE key = sha256($1)`, []byte(ticket.Value)).Scan(&user); err != nil {
			return err
		}
		fmt.Fprintf(w, "%7d", user)
		return nil
	}), nil
}

// fixedHandler answers the page of a visitor without a ticket, whose bytes it
// has made once.
func fixedHandler(db *pgxpool.Pool) (http.Handler, error) {
	p, err := newPages(db, func(http.ResponseWriter, *http.Request) (refs, error) { return refs{}, nil })
	if err != nil {
		return nil, err
	}
	made := &memory{header: http.Header{}}
	if err := p.catalogue(made, &http.Request{}); err != nil {
		return nil, err
	}
	body, length := made.body.Bytes(), strconv.Itoa(made.body.Len())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", length)
		w.Write(body)
	}), nil
}

// memory is a ResponseWriter that keeps what is written.
type memory struct {
	header http.Header
	body   bytes.Buffer
}

func (m *memory) Header() http.Header         { return m.header }
func (m *memory) Write(p []byte) (int, error) { return m.body.Write(p) }
func (m *memory) WriteHeader(int)             {}
