package classroom

import "strings"

// A Claim is something that is said about sessions, and how this shop bears it
// out. Nothing here is to be believed: it can be seen on a page, read in the
// code that does it, and is proved by a test.
type Claim struct {
	ID, Title string
	Means     string // two sentences
	Seen      []Seen
	Code      []string // declarations, such as "internal/sessions.Manager.SignIn"
	Tests     []string // such as "internal/sessions.TestSignInMovesToANewID"
	NotYet    string   // what the shop does not show so far; empty if it shows all
}

// Seen says where a claim can be seen, and what to do there.
type Seen struct{ Page, Do string }

// Where names the page.
func (s Seen) Where() string {
	path, _, _ := strings.Cut(s.Page, "#")
	return map[string]string{
		"/": "X-ray", onLife: "The life of your session", "/story": "Alice’s story",
		onSessions: "Your sessions", "/login": "The sign-in",
	}[path]
}

// Chapter is a group of claims.
type Chapter struct {
	Title  string
	Claims []Claim
}

// Chapters are all claims, in the order of their numbers.
var Chapters = []Chapter{
	{"The coat check", theCoatCheck},
	{"The life of a session", theLife},
	{"Cookie or session", cookieOrSession},
	{"Where sessions live", stores},
	{"The ID, and those who want it", theID},
	{"Timeouts", timeouts},
	{"Sessions or tokens", tokens},
	{"More than one server", scaling},
	{"Mistakes and questions", mistakes},
}

// Places where claims are seen.
const (
	onXRay     = "/#xray"
	onLife     = "/xray"
	onStory    = "/story#step-" // and a step's name
	onSessions = "/account/sessions"
)
