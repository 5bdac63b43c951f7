package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"coatcheck/internal/cart"
	"coatcheck/internal/money"
	"coatcheck/internal/sessions"
	"coatcheck/internal/view"

	"github.com/go-chi/chi/v5"
)

// CartPage shows what the visitor wants to buy.
type CartPage struct {
	view.Layout
	Lines []CartLine
	Total money.Cents

	refused map[string]Refused // by slug
}

// CartLine is one product in a cart. It comes out the same in every cart that
// has as many of it.
type CartLine struct {
	cart.Line
	Refused Refused
}

// Refused is a new quantity that was refused. The zero Refused is none.
type Refused struct {
	Quantity string // as it was typed
	Why      string
}

// Template names the page's file.
func (*CartPage) Template() string { return "cart.html" }

func (s *Shop) cart(w http.ResponseWriter, r *http.Request) error {
	return s.showCart(w, r, http.StatusOK, &CartPage{})
}

func (s *Shop) showCart(w http.ResponseWriter, r *http.Request, status int, p *CartPage) error {
	v, err := s.load(w, r, &p.Layout)
	if err != nil {
		return err
	}
	lines, err := s.lines(r.Context(), v.Items)
	if err != nil {
		return err
	}
	for _, l := range lines {
		p.Lines = append(p.Lines, CartLine{l, p.refused[l.Slug]})
	}
	p.Title, p.Path = "Your cart", "/cart"
	p.Total = cart.Total(lines)
	return s.pages.Render(w, status, p)
}

// lines says what some items are. Should there be one that is newer than the
// products that are known, it asks for those anew.
func (s *Shop) lines(ctx context.Context, items []cart.Item) ([]cart.Line, error) {
	if len(items) == 0 {
		return nil, nil
	}
	rail, err := s.catalog.Rail(ctx)
	if err != nil {
		return nil, err
	}
	lines := make([]cart.Line, len(items))
	for n, i := range items {
		p := rail.ByID(i.ProductID)
		if p == nil {
			if rail, err = s.catalog.Read(ctx); err != nil {
				return nil, err
			}
			if p = rail.ByID(i.ProductID); p == nil {
				return nil, fmt.Errorf("product %d is in a cart and not on the rail", i.ProductID)
			}
		}
		lines[n] = cart.Line{ProductID: p.ID, Slug: p.Slug, Name: p.Name, Price: p.Price, Quantity: i.Quantity, Stock: p.Stock}
	}
	return lines, nil
}

// addToCart puts a product into the visitor's cart. For a visitor without a
// session this is the first thing worth remembering, so here a session begins.
func (s *Shop) addToCart(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	slug := f.get("product")
	quantity, ok := f.quantity(1, cart.MaxQuantity)
	if !ok {
		err = errQuantity
	} else {
		err = s.putIntoCart(w, r, slug, quantity)
	}
	switch {
	case errors.Is(err, cart.ErrNoProduct):
		return &problem{http.StatusUnprocessableEntity, "We do not have that", "There is no such product in our shop. Please choose one from the rail."}
	case isRefusal(err):
		status, why := refusal(err)
		return s.showProduct(w, r, status, slug, f.get("quantity"), why)
	case err != nil:
		return err
	}
	http.Redirect(w, r, "/cart", http.StatusSeeOther)
	return nil
}

func (s *Shop) putIntoCart(w http.ResponseWriter, r *http.Request, slug string, quantity int) error {
	ctx := r.Context()
	ticket := sessions.TicketFrom(ctx)
	session, live := sessions.From(ctx)
	if live {
		err := s.carts.Add(ctx, session.CartID, slug, quantity)
		if err == nil {
			s.leaveNotice(w, noticeAdded)
		}
		if !errors.Is(err, cart.ErrNoCart) {
			return err
		}
		if session.UserID != 0 {
			return errNobody // a user's cart goes with the user alone
		}
	}

	cartID, err := s.carts.Start(ctx, slug, quantity, s.now())
	if err != nil {
		return err
	}
	refs := sessions.Refs{CartID: cartID}
	if live {
		err = s.sessions.Change(w, r, refs)
	} else {
		err = s.sessions.Begin(w, r, refs)
	}
	switch {
	case errors.Is(err, sessions.ErrNotFound):
		return errMoved
	case err != nil:
		return err
	case ticket == sessions.TicketNone:
		s.leaveNotice(w, noticeAdded)
	default:
		s.leaveNotice(w, noticeAddedAnew)
	}
	return nil
}

// setInCart sets how many of a product are in the cart; 0 takes it out.
func (s *Shop) setInCart(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	slug := chi.URLParam(r, "slug")
	if !isText(slug) {
		return errNotFound
	}
	session, live := sessions.From(r.Context())
	quantity, ok := f.quantity(0, cart.MaxQuantity)
	switch {
	case !ok:
		err = errQuantity
	case !live:
		err = cart.ErrNoCart
	default:
		err = s.carts.Set(r.Context(), session.CartID, slug, quantity)
	}
	switch {
	case errors.Is(err, cart.ErrNoCart):
		s.leaveNotice(w, noticeEnded) // the cart page shows that it is empty
	case errors.Is(err, cart.ErrNoProduct):
		return errNotFound
	case isRefusal(err):
		status, why := refusal(err)
		return s.showCart(w, r, status, &CartPage{refused: map[string]Refused{slug: {f.get("quantity"), why}}})
	case err != nil:
		return err
	case quantity == 0:
		s.leaveNotice(w, noticeRemoved)
	default:
		s.leaveNotice(w, noticeChanged)
	}
	http.Redirect(w, r, "/cart", http.StatusSeeOther)
	return nil
}

// errMoved says that a sign-in, or a changed password, gave the visitor a new
// ticket while this request was on its way with the old one. The browser has
// got its ticket there; here it gets none, or it would be a guest again.
var errMoved = &problem{http.StatusConflict, "One moment too early", "You were being given a new ticket at that very moment, and this change of your cart did not make it. Please make it once more."}

// errQuantity says that what was sent is no quantity.
var errQuantity = errors.New("not a quantity")

func isRefusal(err error) bool {
	return errors.Is(err, errQuantity) || errors.Is(err, cart.ErrTooMany) || errors.Is(err, cart.ErrShort)
}

// refusal words the reason why a quantity cannot be.
func refusal(err error) (status int, why string) {
	switch {
	case errors.Is(err, cart.ErrShort):
		return http.StatusConflict, "We do not have that many. Please choose fewer."
	case errors.Is(err, cart.ErrTooMany):
		return http.StatusUnprocessableEntity, fmt.Sprintf("That would make more than %d, which is the most of one product that a cart takes.", cart.MaxQuantity)
	}
	return http.StatusUnprocessableEntity, fmt.Sprintf("Please enter a whole number from 1 to %d.", cart.MaxQuantity)
}
