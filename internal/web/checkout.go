package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"coatcheck/internal/cart"
	"coatcheck/internal/money"
	"coatcheck/internal/orders"
	"coatcheck/internal/sessions"
	"coatcheck/internal/view"

	"github.com/jackc/pgx/v5"
)

// CheckoutPage asks where the coats shall go.
type CheckoutPage struct {
	view.Layout
	Lines         []cart.Line
	Total         money.Cents
	Name, Address string
	OrderKey      string // makes sending the form twice harmless
	Problems      CheckoutProblems
}

// CheckoutProblems has a sentence for each thing that is wrong.
type CheckoutProblems struct{ Name, Address, Stock string }

// Template names the page's file.
func (*CheckoutPage) Template() string { return "checkout.html" }

func (s *Shop) checkoutForm(w http.ResponseWriter, r *http.Request) error {
	return s.showCheckout(w, r, http.StatusOK, &CheckoutPage{OrderKey: rand.Text()})
}

func (s *Shop) showCheckout(w http.ResponseWriter, r *http.Request, status int, p *CheckoutPage) error {
	session, _ := sessions.From(r.Context())
	v, err := s.load(w, r, &p.Layout, func(b *pgx.Batch) { cart.QueueLines(b, session.CartID, &p.Lines) })
	if err != nil {
		return err
	}
	if len(p.Lines) == 0 && status == http.StatusOK {
		http.Redirect(w, r, "/cart", http.StatusSeeOther) // where it says that the cart is empty
		return nil
	}
	if p.Name == "" && p.Problems == (CheckoutProblems{}) {
		p.Name = v.User.Name
	}
	p.Title, p.Path = "Checkout", "/checkout"
	p.Total = cart.Total(p.Lines)
	return s.pages.Render(w, status, p)
}

func (s *Shop) checkout(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	p := &CheckoutPage{
		Name:     strings.TrimSpace(f.get("name")),
		Address:  strings.TrimSpace(strings.ReplaceAll(f.get("address"), "\r\n", "\n")),
		OrderKey: f.get("order_key"),
	}
	if p.check(); p.Problems != (CheckoutProblems{}) {
		return s.showCheckout(w, r, http.StatusUnprocessableEntity, p)
	}

	session, _ := sessions.From(r.Context())
	number, err := s.orders.Place(r.Context(), orders.Checkout{
		UserID: session.UserID, CartID: session.CartID,
		Key: p.OrderKey, Name: p.Name, Address: p.Address, At: s.now(),
	})
	switch {
	case errors.Is(err, orders.ErrShort):
		p.Problems.Stock = "While you were deciding, others bought. We no longer have enough of everything; please change your cart."
		return s.showCheckout(w, r, http.StatusConflict, p)
	case errors.Is(err, orders.ErrEmpty):
		return &problem{http.StatusConflict, "Your cart is empty", "There is nothing in it to order. If you have just ordered, you will find it under your orders."}
	case err != nil:
		return err
	}
	s.log.InfoContext(r.Context(), "ordered", "request", requestIDFrom(r.Context()), "user", session.UserID, "order", number)
	s.leaveNotice(w, noticeOrdered)
	http.Redirect(w, r, fmt.Sprintf("/orders/%d", number), http.StatusSeeOther)
	return nil
}

const (
	maxRecipient = 100 // characters
	maxAddress   = 500
)

// orderKey is the shape of the key that checkoutForm makes.
var orderKey = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)

// check finds out what is wrong with the form. A key that is not ours is
// replaced by one that is: sent once more, the form is good.
func (p *CheckoutPage) check() {
	switch {
	case p.Name == "":
		p.Problems.Name = "Please tell us whom it is for."
	case utf8.RuneCountInString(p.Name) > maxRecipient:
		p.Problems.Name = fmt.Sprintf("Please use at most %d characters.", maxRecipient)
	case strings.ContainsFunc(p.Name, unicode.IsControl):
		p.Problems.Name = "Please leave out characters that cannot be seen."
	}
	switch {
	case p.Address == "":
		p.Problems.Address = "Please tell us where it shall go."
	case utf8.RuneCountInString(p.Address) > maxAddress:
		p.Problems.Address = fmt.Sprintf("Please use at most %d characters.", maxAddress)
	case strings.ContainsFunc(p.Address, func(c rune) bool { return unicode.IsControl(c) && c != '\n' }):
		p.Problems.Address = "Please leave out characters that cannot be seen."
	}
	if !orderKey.MatchString(p.OrderKey) {
		p.OrderKey = rand.Text()
		p.Problems.Stock = "This form was not quite ours. Nothing has been ordered; please look it over and send it again."
	}
}
