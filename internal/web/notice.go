package web

import (
	"net/http"

	"coatcheck/internal/sessions"
	"coatcheck/internal/view"
)

// A notice is a message that is shown once, on the page after a redirect. It
// travels in a cookie of its own as one of these codes: never as text, which
// somebody could forge, and never in the session, which holds references only.
type notice string

const (
	noticeAdded       notice = "added"
	noticeAddedAnew   notice = "added-anew"
	noticeChanged     notice = "changed"
	noticeRemoved     notice = "removed"
	noticeSignedUp    notice = "signed-up"
	noticeSignedIn    notice = "signed-in"
	noticeCapped      notice = "capped"
	noticeSignedOut   notice = "signed-out"
	noticeSignInFirst notice = "sign-in-first"
	noticeIdledOut    notice = "idled-out"
	noticeLivedOut    notice = "lived-out"
	noticeEnded       notice = "ended"
	noticeOrdered     notice = "ordered"

	noticePassword      notice = "password"
	noticeEmail         notice = "email"
	noticeConfirmed     notice = "confirmed"
	noticeRevoked       notice = "revoked"
	noticeRevokedOthers notice = "revoked-others"
	noticeDisabled      notice = "disabled"
	noticeEnabled       notice = "enabled"
	noticeRevokedUser   notice = "revoked-user"
	noticeRevokedAll    notice = "revoked-all"
)

var notices = map[notice]view.Notice{
	noticeAdded:       {Text: "It is in your cart."},
	noticeAddedAnew:   {Text: "It is in your cart. Your earlier session had ended, so this is a new cart; sign in, and it joins the one in your account."},
	noticeChanged:     {Text: "Your cart has been changed."},
	noticeRemoved:     {Text: "It is out of your cart."},
	noticeSignedUp:    {Text: "Thank you. If that e-mail address was new to us, your account is ready: please sign in with your password. If you already had an account, it is as it was."},
	noticeSignedIn:    {Text: "You are signed in, with a fresh ticket."},
	noticeCapped:      {Text: "You are signed in, and your two carts are now one. Of some products there are not that many, or more than 20: please look at the quantities."},
	noticeSignedOut:   {Text: "You are signed out. Your ticket is worth nothing now."},
	noticeSignInFirst: {Text: "Please sign in first. We will take you back to where you were going."},
	noticeIdledOut:    {Text: "You were away for a while, so your session has ended. Please sign in again; what was in your account's cart is still there."},
	noticeLivedOut:    {Text: "Your session had reached its longest life, so it has ended. Please sign in again; what was in your account's cart is still there."},
	noticeEnded:       {Text: "Your session has ended. Please sign in again."},
	noticeOrdered:     {Text: "Thank you for your order."},

	noticePassword:      {Text: "Your password has been changed. Every other session of your account has ended, and this one goes on with a new ticket."},
	noticeEmail:         {Text: "Your e-mail address has been changed. Please sign in with it from now on. This session goes on with a new ticket."},
	noticeConfirmed:     {Text: "Thank you. For the next five minutes you can end sessions without being asked again."},
	noticeRevoked:       {Text: "That session has ended. Its ticket is worth nothing now."},
	noticeRevokedOthers: {Text: "All your other sessions have ended. Their tickets are worth nothing now."},
	noticeDisabled:      {Text: "The account is disabled, and its sessions have ended."},
	noticeEnabled:       {Text: "The account is enabled. Its user can sign in again."},
	noticeRevokedUser:   {Text: "The sessions have ended. Their tickets are worth nothing now."},
	noticeRevokedAll:    {Text: "Everybody's sessions have ended but this one, which goes on with a new ticket."},
}

func timedOut(t sessions.Ticket) notice {
	if t == sessions.TicketLivedOut {
		return noticeLivedOut
	}
	return noticeIdledOut
}

// leaveNotice leaves a message for the next page.
func (s *Shop) leaveNotice(w http.ResponseWriter, n notice) { s.setNotice(w, string(n), 60) }

// takeNotice gives the message for this page, if any, and forgets it.
func (s *Shop) takeNotice(w http.ResponseWriter, r *http.Request) view.Notice {
	if c, err := r.Cookie(s.noticeCookie()); err == nil {
		s.setNotice(w, "", -1)
		if n, ok := notices[notice(c.Value)]; ok {
			return n
		}
	}
	if t := sessions.TicketFrom(r.Context()); t.TimedOut() {
		return notices[timedOut(t)]
	}
	return view.Notice{}
}

func (s *Shop) noticeCookie() string {
	if s.secure {
		return "__Host-notice"
	}
	return "notice"
}

func (s *Shop) setNotice(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     s.noticeCookie(),
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   s.secure,
		SameSite: http.SameSiteLaxMode,
	})
}
