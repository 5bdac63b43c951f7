package web

import (
	"net/http"

	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/sessions"
	"coatcheck/internal/view"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
)

// CataloguePage shows everything on the rail.
type CataloguePage struct {
	view.Layout
	Products []catalog.Product
}

// Template names the page's file.
func (*CataloguePage) Template() string { return "catalogue.html" }

func (s *Shop) catalogue(w http.ResponseWriter, r *http.Request) error {
	p := &CataloguePage{}
	_, err := s.load(w, r, &p.Layout, func(b *pgx.Batch) { catalog.QueueAll(b, &p.Products) })
	if err != nil {
		return err
	}
	p.Title = "Coats"
	return s.pages.Render(w, http.StatusOK, p)
}

// ProductPage shows one product, and the form that puts it into the cart.
type ProductPage struct {
	view.Layout
	Product  catalog.Product
	InCart   int    // pieces of it in the visitor's cart
	Quantity string // as it stands in the form
	Problem  string // what is wrong with the quantity
}

// Template names the page's file.
func (*ProductPage) Template() string { return "product.html" }

// Most is the highest quantity that can be asked for.
func (p *ProductPage) Most() int { return min(p.Product.Stock, cart.MaxQuantity) }

func (s *Shop) product(w http.ResponseWriter, r *http.Request) error {
	return s.showProduct(w, r, http.StatusOK, chi.URLParam(r, "slug"), "1", "")
}

func (s *Shop) showProduct(w http.ResponseWriter, r *http.Request, status int, slug, quantity, problem string) error {
	if !isText(slug) {
		return errNotFound
	}
	p := &ProductPage{Quantity: quantity, Problem: problem}
	var lines []cart.Line
	session, _ := sessions.From(r.Context())
	_, err := s.load(w, r, &p.Layout, func(b *pgx.Batch) {
		catalog.QueueProduct(b, slug, &p.Product)
		if session.CartID != 0 {
			cart.QueueLines(b, session.CartID, &lines)
		}
	})
	if err != nil {
		return err
	}
	if p.Product.ID == 0 {
		return errNotFound
	}
	for _, l := range lines {
		if l.Slug == slug {
			p.InCart = l.Quantity
		}
	}
	p.Title, p.Path = p.Product.Name, "/products/"+slug
	return s.pages.Render(w, status, p)
}
