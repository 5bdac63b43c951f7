package web

import (
	"fmt"
	"net/http"
	"strconv"

	"coatcheck/internal/orders"
	"coatcheck/internal/sessions"
	"coatcheck/internal/view"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
)

// OrdersPage lists what the visitor has ordered, the newest first.
type OrdersPage struct {
	view.Layout
	Orders []orders.Order
}

// Template names the page's file.
func (*OrdersPage) Template() string { return "orders.html" }

func (s *Shop) orderList(w http.ResponseWriter, r *http.Request) error {
	session, _ := sessions.From(r.Context())
	p := &OrdersPage{}
	_, err := s.load(w, r, &p.Layout, func(b *pgx.Batch) { orders.QueueByUser(b, session.UserID, &p.Orders) })
	if err != nil {
		return err
	}
	p.Title = "Your orders"
	return s.pages.Render(w, http.StatusOK, p)
}

// OrderPage shows one order, also on paper.
type OrderPage struct {
	view.Layout
	Order orders.Order
}

// Template names the page's file.
func (*OrderPage) Template() string { return "order.html" }

// order shows an order to the one whose it is. To anyone else it does not
// exist: the number is looked for among the visitor's own.
func (s *Shop) order(w http.ResponseWriter, r *http.Request) error {
	number, err := strconv.ParseInt(chi.URLParam(r, "number"), 10, 64)
	if err != nil {
		return errNotFound
	}
	session, _ := sessions.From(r.Context())
	p := &OrderPage{}
	_, err = s.load(w, r, &p.Layout, func(b *pgx.Batch) { orders.QueueOrder(b, session.UserID, number, &p.Order) })
	if err != nil {
		return err
	}
	if p.Order.Number == 0 {
		return errNotFound
	}
	p.Title = fmt.Sprintf("Order %d", number)
	return s.pages.Render(w, http.StatusOK, p)
}
