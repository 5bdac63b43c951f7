package web

import (
	"net/http"

	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/view"

	"github.com/go-chi/chi/v5"
)

// CataloguePage shows everything on the rail.
type CataloguePage struct {
	view.Layout
	Rail *catalog.Rail
}

// Template names the page's file.
func (*CataloguePage) Template() string { return "catalogue.html" }

// Shows says that whoever has no session sees the same.
func (p *CataloguePage) Shows() any {
	if !p.Same() {
		return nil
	}
	return struct {
		view.Standing
		*catalog.Rail
	}{p.Standing(), p.Rail}
}

func (s *Shop) catalogue(w http.ResponseWriter, r *http.Request) error {
	p := &CataloguePage{}
	if _, err := s.load(w, r, &p.Layout); err != nil {
		return err
	}
	var err error
	if p.Rail, err = s.catalog.Rail(r.Context()); err != nil {
		return err
	}
	p.Title, p.Path = "Coats", "/"
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

// Shows says that whoever has no session sees the same, until they have asked
// for what cannot be.
func (p *ProductPage) Shows() any {
	if !p.Same() || p.Problem != "" {
		return nil
	}
	return struct {
		view.Standing
		catalog.Product
	}{p.Standing(), p.Product}
}

func (s *Shop) product(w http.ResponseWriter, r *http.Request) error {
	return s.showProduct(w, r, http.StatusOK, chi.URLParam(r, "slug"), "1", "")
}

func (s *Shop) showProduct(w http.ResponseWriter, r *http.Request, status int, slug, quantity, problem string) error {
	if !isText(slug) {
		return errNotFound
	}
	p := &ProductPage{Quantity: quantity, Problem: problem}
	v, err := s.load(w, r, &p.Layout)
	if err != nil {
		return err
	}
	rail, err := s.catalog.Rail(r.Context())
	if err != nil {
		return err
	}
	product := rail.Product(slug)
	if product == nil {
		return errNotFound
	}
	p.Product = *product
	for _, i := range v.Items {
		if i.ProductID == product.ID {
			p.InCart = i.Quantity
		}
	}
	p.Title, p.Path = p.Product.Name, "/products/"+slug
	return s.pages.Render(w, status, p)
}
