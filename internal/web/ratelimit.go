package web

import (
	"net/http"
	"time"

	"github.com/go-chi/httprate"
)

// Limits on what one address may do: bounds against a machine, not against
// people, of whom a whole office may share an address. Each server counts for
// itself.
const (
	DefaultSignUpRate = 600  // sign-ups in an hour; each costs a password hash
	DefaultCartRate   = 6000 // changes of carts in a minute; each is a commit
)

// newLimit says only Retry-After; how near to the limit others have come is
// nobody's business.
func newLimit(requests int, window time.Duration) *httprate.RateLimiter {
	return httprate.NewRateLimiter(requests, window,
		httprate.WithResponseHeaders(httprate.ResponseHeaders{RetryAfter: "Retry-After"}))
}

// cartLimited refuses changes of carts that come too fast.
func (s *Shop) cartLimited(h func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.cartLimit.OnLimit(w, r, clientAddress(r)) {
			s.log.WarnContext(r.Context(), "cart writes limited", "request", requestIDFrom(r.Context()), "address", clientAddress(r))
			return &problem{http.StatusTooManyRequests, "One moment, please", "More changes of carts come from where you are than we can hang up. Your cart is as it was. Please try again in a minute."}
		}
		return h(w, r)
	}
}
