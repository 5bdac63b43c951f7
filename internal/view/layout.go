package view

import "coatcheck/internal/xray"

// Layout is what every page shows around its own matter. Page structs embed it.
type Layout struct {
	Title   string  // goes before the shop's name in the window's title
	Path    string  // the page's own address, to come back to after signing in
	Visitor Visitor // who is looking
	Notice  Notice  // a message to the visitor, shown once
	Left    Left    // how long the visitor's session lasts; zero for none
	Demo    bool    // the shop runs in demo mode: sign-in shows the seed accounts

	XRay *xray.Recording // what the request does with its session; nil if nobody listens
}

// Frame is the layout itself, of whichever page.
func (l *Layout) Frame() *Layout { return l }

// Standing is what a page's frame depends on, apart from what only one visitor
// sees: the same for many.
type Standing struct {
	Title, Path     string
	SignedIn, Admin bool
	Clock, Final    bool // there is a session, and so an end to warn of; for good
	XRay, Demo      bool
}

// Standing is that of the visitor, on this page.
func (l *Layout) Standing() Standing {
	return Standing{l.Title, l.Path, l.Visitor.SignedIn(), l.Visitor.Admin, l.Left.Seconds > 0, l.Left.Final, l.XRay != nil, l.Demo}
}

// Same reports whether the frame shows nothing of one visitor's own.
func (l *Layout) Same() bool {
	return l.Visitor == Visitor{} && l.Notice == Notice{} && l.Left == Left{} && l.XRay == nil
}

// Visitor is what the layout says of whoever asked.
type Visitor struct {
	Name      string // empty for a guest
	Email     string // what the visitor signs in with
	CartCount int    // pieces in the cart
	Admin     bool   // may see the administrator's pages
}

// Left is how long a session lasts.
type Left struct {
	Seconds int  `json:"seconds"` // without another request
	Final   bool `json:"final"`   // another request would not make it longer
}

// SignedIn reports whether the visitor has an account and is signed in to it.
func (v Visitor) SignedIn() bool { return v.Name != "" }

// Notice is a message to the visitor. The zero Notice is none.
type Notice struct {
	Text  string
	Error bool // something did not work: shown as an alert
}
