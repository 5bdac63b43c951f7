package story

import (
	"coatcheck/internal/sessions"
	"coatcheck/internal/xray"
)

// Who acts.
const (
	alice   = "Alice"
	mallory = "Mallory"
)

// madeUp has the shape of a ticket, and is none.
const madeUp = "Mallory-has-made-this-ticket-up-by-herself0"

// Alice is the story of a session: made, used, moved, copied, and ended.
var Alice = Story{
	Name:  "alice",
	Title: "Alice and the coat check",
	Intro: []string{
		"At a coat check you hand over your coat and get a numbered ticket. Later you show the ticket, and get your coat. A session is the same: the server keeps what it knows about you, and your browser holds a ticket, which is a random number in a cookie.",
		"Here Alice buys coats, on two servers that share one coat room. Watch her ticket: when she gets one, when it is replaced, what it is worth in the wrong hands, and what ends it.",
	},
	Cast: []Actor{
		{alice, "buys coats. She has an account, and a browser that keeps the cookies that it is given."},
		{mallory, "has no account here, and likes to copy other people's tickets."},
	},
	Steps: []Step{
		{
			Slug: "look-around", Title: "Alice looks around", Who: alice,
			Why:    "Nothing about her is worth remembering yet, so the shop stores nothing, and gives her no ticket.",
			Ask:    &Request{Method: "GET", Path: "/"},
			Expect: Expect{Status: 200, SignedIn: Nobody, Cart: pieces(0), Ticket: NoTicket, XRay: &XRay{sessions.TicketNone, xray.Unchanged}},
		},
		{
			Slug: "first-coat", Title: "She puts a coat into her cart", Who: alice,
			Why:    "That is worth remembering: the shop makes a session that refers to the cart, and sends the session's ID in a cookie, which is Alice's ticket.",
			Ask:    &Request{Method: "POST", Path: "/cart/items", Form: []Field{{Name: "product", Value: "camel-overcoat"}, {Name: "quantity", Value: "1"}}},
			Expect: Expect{Status: 303, Location: "/cart", Ticket: NewTicket, XRay: &XRay{sessions.TicketNone, xray.Began}},
		},
		{
			Slug: "more-coats", Title: "She adds two raincoats", Who: alice,
			Why:    "Her browser shows the ticket by itself; the ticket leads to the session, and the session to the cart. The cart changes, but ticket and session stay as they are.",
			Ask:    &Request{Method: "POST", Path: "/cart/items", Form: []Field{{Name: "product", Value: "yellow-raincoat"}, {Name: "quantity", Value: "2"}}},
			Expect: Expect{Status: 303, Location: "/cart", Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "guest-cart", Title: "She looks into her cart", Who: alice,
			Why:    "Three pieces are there, although her cookie says nothing about coats: they are counted where they are kept, on the server's side.",
			Ask:    &Request{Method: "GET", Path: "/cart"},
			Expect: Expect{Status: 200, SignedIn: Nobody, Cart: pieces(3), Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "guest-copied", Title: "Mallory copies Alice's ticket", Who: mallory,
			Why:   "Perhaps she has looked over Alice's shoulder, or has even planted the ticket in her browser, in the hope that Alice will sign in with it.",
			Carry: &Carry{From: alice},
		},
		{
			Slug: "guest-watched", Title: "Mallory sees the cart", Who: mallory,
			Why:    "The shop cannot tell a copy from the ticket itself: whoever shows it is taken for its owner. So far there is not much to see.",
			Ask:    &Request{Method: "GET", Path: "/cart"},
			Expect: Expect{Status: 200, SignedIn: Nobody, Cart: pieces(3), Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "sign-in", Title: "Alice signs in", Who: alice, Needed: true,
			Why:    "Her password proves who she is, and at that moment the old session dies and a new one is born under a new ID, so that nobody who knew the old ticket comes in along with her.",
			Ask:    &Request{Method: "POST", Path: "/login", Form: []Field{{Name: "email", Value: "alice@example.com"}, {Name: "password", Value: "coat-check-alice", Secret: true}, {Name: "next", Value: "/cart"}}},
			Expect: Expect{Status: 303, Location: "/cart", Ticket: NewTicket, XRay: &XRay{sessions.TicketLive, xray.Moved}},
		},
		{
			Slug: "cart-came-along", Title: "Her cart has come along", Who: alice,
			Why:    "The new session refers to her user and to her user's cart, into which the shop has put what the guest had chosen.",
			Ask:    &Request{Method: "GET", Path: "/cart"},
			Expect: Expect{Status: 200, SignedIn: alice, Cart: orMore(3), Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "known-everywhere", Title: "She is known on every page", Who: alice,
			Why:    "HTTP forgets everything between two requests, so each time her browser shows the ticket, and each time the shop looks it up.",
			Ask:    &Request{Method: "GET", Path: "/account"},
			Expect: Expect{Status: 200, SignedIn: alice, Cart: asBefore, Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "old-copy", Title: "Mallory shows the old ticket", Who: mallory,
			Why:    "It was Alice's until she signed in. Now no coat hangs on that hook, and Mallory is a stranger like any other.",
			Ask:    &Request{Method: "GET", Path: "/cart"},
			Expect: Expect{Status: 200, SignedIn: Nobody, Cart: pieces(0), Ticket: SameTicket, XRay: &XRay{sessions.TicketUnknown, xray.Unchanged}},
		},
		{
			Slug: "restart", Title: "The server is restarted", Restart: true,
			Why: "It is thrown away with all that it had in its memory, and a new one takes its place, which has nothing but the database.",
		},
		{
			Slug: "after-restart", Title: "Alice is still signed in", Who: alice,
			Why:    "The coat room is a table in the database, not the memory of a server, so a restart costs nobody their session.",
			Ask:    &Request{Method: "GET", Path: "/cart"},
			Expect: Expect{Status: 200, SignedIn: alice, Cart: asBefore, Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "second-server", Title: "Another server knows her, too", Who: alice,
			Why:    "She has never been there, but it asks the same coat room; that is how many servers can share the work.",
			Ask:    &Request{Server: Second, Method: "GET", Path: "/cart"},
			Expect: Expect{Status: 200, SignedIn: alice, Cart: asBefore, Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "checkout", Title: "Alice goes to the checkout", Who: alice,
			Why:    "Only somebody who is signed in may see this form. In it is a key of its own, so that sending it twice will not order twice.",
			Ask:    &Request{Method: "GET", Path: "/checkout"},
			Expect: Expect{Status: 200, SignedIn: alice, Cart: asBefore, Says: `name="order_key"`, Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "order", Title: "She orders", Who: alice, Needed: true,
			Why:    "The order is filed under her user, and not in the session: it will be there when the session has long been gone.",
			Ask:    &Request{Method: "POST", Path: "/checkout", Form: []Field{{Name: "name", Value: "Alice"}, {Name: "address", Value: "1 Rail Road"}, {Name: "order_key", Hidden: true}}},
			Expect: Expect{Status: 303, Location: "/orders/…", Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "receipt", Title: "She gets her receipt", Who: alice,
			Why:    "The cart is empty again, and still ticket and session are the same ones: they only ever say where things are.",
			Ask:    &Request{Method: "GET"},
			Expect: Expect{Status: 200, SignedIn: alice, Cart: pieces(0), Says: "Thank you for your order.", Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "other-site", Title: "A page elsewhere uses Alice's browser", Who: alice,
			Why:    "In another window a page of somebody else's site sends a form to the shop, behind her back. Her browser says where the form comes from and leaves her ticket at home, and the shop turns it away at the door, before anybody looks at a ticket.",
			Ask:    &Request{Method: "POST", Path: "/cart/items", Form: []Field{{Name: "product", Value: "navy-peacoat"}, {Name: "quantity", Value: "20"}}, Site: "https://elsewhere.example"},
			Expect: Expect{Status: 403, Ticket: SameTicket},
		},
		{
			Slug: "copied", Title: "Mallory copies the ticket once more", Who: mallory,
			Why:   "This time it is the ticket of somebody who is signed in, found on a computer that was left unlocked.",
			Carry: &Carry{From: alice},
		},
		{
			Slug: "hijacked", Title: "Mallory is Alice", Who: mallory,
			Why:    "No shop can help it: who holds the ticket gets the coat. So the cookie is HttpOnly, travels by HTTPS alone in a shop that has it, and is worth something for a few hours at most.",
			Ask:    &Request{Method: "GET", Path: "/orders"},
			Expect: Expect{Status: 200, SignedIn: alice, Ticket: SameTicket, XRay: &XRay{sessions.TicketLive, xray.Unchanged}},
		},
		{
			Slug: "sign-out", Title: "Alice signs out", Who: alice,
			Why:    "The shop deletes the session, and asks her browser to drop the cookie. The first of the two is what counts, and it counts for all servers, whichever of them she asks.",
			Ask:    &Request{Server: Second, Method: "POST", Path: "/logout"},
			Expect: Expect{Status: 303, Location: "/", Ticket: DroppedTicket, XRay: &XRay{sessions.TicketLive, xray.Ended}},
		},
		{
			Slug: "copy-is-dead", Title: "Mallory's copy is worth nothing", Who: mallory,
			Why:    "Mallory's browser was not asked to drop anything, and need not be: there is no coat on that hook, so she is sent to sign in.",
			Ask:    &Request{Method: "GET", Path: "/orders"},
			Expect: Expect{Status: 303, Location: "/login?next=%2Forders", Ticket: SameTicket, XRay: &XRay{sessions.TicketUnknown, xray.Unchanged}},
		},
		{
			Slug: "copy-is-dead-there", Title: "Nor is it on the other server", Who: mallory,
			Why:    "What one server ends has ended everywhere, because none of them keeps a list of its own.",
			Ask:    &Request{Server: Second, Method: "GET", Path: "/orders"},
			Expect: Expect{Status: 303, Location: "/login?next=%2Forders", Ticket: SameTicket, XRay: &XRay{sessions.TicketUnknown, xray.Unchanged}},
		},
		{
			Slug: "made-up", Title: "Mallory makes up a ticket", Who: mallory,
			Why:   "It looks just like a real one. But there are more possible tickets than atoms in the galaxy, so nobody hits upon another's by guessing.",
			Carry: &Carry{Ticket: madeUp},
		},
		{
			Slug: "never-adopted", Title: "The shop does not take it over", Who: mallory,
			Why:    "A coat in the cart needs a session, but it begins under an ID that the shop has made, and never under one that a visitor has brought.",
			Ask:    &Request{Method: "POST", Path: "/cart/items", Form: []Field{{Name: "product", Value: "navy-peacoat"}, {Name: "quantity", Value: "1"}}},
			Expect: Expect{Status: 303, Location: "/cart", Ticket: NewTicket, XRay: &XRay{sessions.TicketUnknown, xray.Began}},
		},
		{
			Slug: "closing", Title: "Mallory gives up", Who: mallory,
			Why:    "A guest's session can be ended like any other. All tickets of this story are torn now, and the coat room is as it was.",
			Ask:    &Request{Method: "POST", Path: "/logout"},
			Expect: Expect{Status: 303, Location: "/", Ticket: DroppedTicket, XRay: &XRay{sessions.TicketLive, xray.Ended}},
		},
	},
}

func pieces(n int) *Cart { return &Cart{Pieces: n} }
func orMore(n int) *Cart { return &Cart{Pieces: n, OrMore: true} }

var asBefore = &Cart{AsBefore: true}
