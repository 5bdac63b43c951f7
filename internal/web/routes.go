package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/klauspost/compress/gzhttp"
)

// routes is the map of the shop. A change of anything is a POST, so that no
// link, picture or prefetch ever changes something.
func (s *Shop) routes(publicURL string, trustedProxies []string) (http.Handler, error) {
	sameOrigin, err := s.sameOrigin(publicURL)
	if err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper()
	if err != nil {
		return nil, err
	}
	clientIP := middleware.ClientIPFromRemoteAddr
	if len(trustedProxies) > 0 {
		clientIP = middleware.ClientIPFromXFF(trustedProxies...)
	}

	r := chi.NewRouter()
	r.Use(clientIP, requestID, s.logRequest, compressed(compress), s.recoverPanic, s.securityHeaders, middleware.GetHead)

	r.Get("/healthz", s.healthz)
	r.Get("/readyz", s.readyz)
	r.Get("/static/*", s.static)

	pages := chi.Chain(s.xrayed, sameOrigin.Handler, hurry(s.patience), s.aroundSessions, s.sessions.Middleware)
	withPassword := chi.Chain(s.xrayed, sameOrigin.Handler, timeLimit(patienceWithPassword), hurry(s.patience), notWhileHashing, s.aroundSessions, s.sessions.Middleware)
	slow := chi.Chain(s.xrayed, sameOrigin.Handler, timeLimit(patienceWithPlace), s.aroundSessions, s.sessions.Middleware)
	r.NotFound(pages.HandlerFunc(s.handle(s.notFound)).ServeHTTP)
	r.MethodNotAllowed(pages.HandlerFunc(s.handle(s.methodNotAllowed)).ServeHTTP)
	r.Group(func(r chi.Router) {
		r.Use(pages...)

		r.Get("/", s.handle(s.catalogue))
		r.Get("/products/{slug}", s.handle(s.product))

		r.Get("/cart", s.handle(s.cart))
		r.Post("/cart/items", s.handle(s.cartLimited(s.addToCart)))
		r.Post("/cart/items/{slug}", s.handle(s.cartLimited(s.setInCart)))

		r.Get("/signup", s.handle(s.signUpForm))
		r.Get("/login", s.handle(s.signInForm))
		r.Post("/logout", s.handle(s.signOut))

		r.Get("/checkout", s.handle(s.signedIn(s.checkoutForm)))
		r.Post("/checkout", s.handle(s.signedIn(s.checkout)))
		r.Get("/orders", s.handle(s.signedIn(s.orderList)))
		r.Get("/orders/{number}", s.handle(s.signedIn(s.order)))

		r.Get("/account", s.handle(s.signedIn(s.account)))
		r.Get("/account/sessions", s.handle(s.signedIn(s.sessionList)))

		r.Get("/admin", s.handle(s.administrator(s.admin)))
		r.Get("/admin/users/{id}", s.handle(s.administrator(s.adminUser)))
		r.Post("/admin/users/{id}/disable", s.handle(s.administrator(s.disableUser)))
		r.Post("/admin/users/{id}/enable", s.handle(s.administrator(s.enableUser)))
		r.Post("/admin/users/{id}/revoke-sessions", s.handle(s.administrator(s.revokeUserSessions)))

		r.Post("/session/extend", s.handle(s.extend))

		if s.xray != nil {
			r.Get("/xray", s.handle(s.xrays))
			r.Get("/xray/{number}", s.handle(s.xrayOf))
		}
		s.addPlaces(r, false)
	})
	// Here a password may have to be hashed, and to wait for its turn; or too
	// many wait already, and the visitor is asked to send it again.
	r.Group(func(r chi.Router) {
		r.Use(withPassword...)

		r.Post("/signup", s.handle(s.signUp))
		r.Post("/login", s.handle(s.signIn))
		r.Post("/account/password", s.handle(s.signedIn(s.changePassword)))
		r.Post("/account/email", s.handle(s.signedIn(s.changeEmail)))
		r.Post("/account/sessions/confirm", s.handle(s.signedIn(s.confirmPassword)))
		r.Post("/account/sessions/revoke-others", s.handle(s.signedIn(s.revokeOthers)))
		r.Post("/account/sessions/{handle}/revoke", s.handle(s.signedIn(s.revokeSession)))
		r.Post("/admin/sessions/revoke-all", s.handle(s.administrator(s.revokeAll)))
	})
	r.Group(func(r chi.Router) {
		r.Use(slow...)

		s.addPlaces(r, true)
	})
	// Without the sessions' middleware: to ask for the time is no activity.
	r.With(sameOrigin.Handler, hurry(s.patience), s.aroundSessions).Get("/session", s.handle(s.timeLeft))
	return r, nil
}

// sameOrigin refuses forms that another site's page sends (ASVS 5.0 V3.5.1).
func (s *Shop) sameOrigin(publicURL string) (*http.CrossOriginProtection, error) {
	protection := http.NewCrossOriginProtection()
	if publicURL != "" {
		if err := protection.AddTrustedOrigin(publicURL); err != nil {
			return nil, fmt.Errorf("public URL: %w", err)
		}
	}
	protection.SetDenyHandler(s.handle(func(w http.ResponseWriter, r *http.Request) error {
		return &problem{http.StatusForbidden, "Not from here", "This form was sent from another site, so we have not acted on it. If it was you, please go back to our shop and try again there."}
	}))
	return protection, nil
}

// compressed adapts gzhttp's wrapper to chi.
func compressed(wrap func(http.Handler) http.HandlerFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler { return wrap(next) }
}

// static serves pictures, styles and the script. No session is looked up for them.
func (s *Shop) static(w http.ResponseWriter, r *http.Request) {
	if !s.assets.Serve(w, r) {
		http.Error(w, "There is no such file.", http.StatusNotFound)
	}
}

func (s *Shop) notFound(http.ResponseWriter, *http.Request) error { return errNotFound }

func (s *Shop) methodNotAllowed(w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	routes := chi.RouteContext(r.Context()).Routes
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		as := method
		if as == http.MethodHead {
			as = http.MethodGet // chi's GetHead
		}
		if routes.Match(chi.NewRouteContext(), as, r.URL.Path) && !slices.Contains(allowed, method) {
			allowed = append(allowed, method)
		}
	}
	if strings.HasPrefix(r.URL.Path, "/admin") {
		return errNotFound // not even that is anyone's business
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &problem{http.StatusMethodNotAllowed, "Not that way", "This address cannot be used like that. Please use the links and buttons of the shop."}
}
