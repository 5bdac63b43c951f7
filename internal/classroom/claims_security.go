package classroom

var theID = []Claim{
	{
		ID: "S14", Title: "An ID is random, and cannot be guessed",
		Means:  "Who counts IDs up hands out everybody’s: after session_1 comes session_2. These are 256 bits from the system’s cryptographic source, so that trying a billion a second would take longer than the universe has been there.",
		Seen:   []Seen{{onXRay, "Six of the 43 letters of your ticket. Sign in, and see six others that have nothing to do with them."}, {onStory + "made-up", "Mallory makes a ticket up."}},
		Code:   []string{"internal/sessions.newID", "internal/sessions.parseID"},
		Tests:  []string{"internal/sessions.TestMillionIDsHaveNoPairAndNoPattern", "internal/sessions.TestIDCanBeWrittenInOneWayOnly"},
		NotYet: "A lab in which counted IDs are guessed, and random ones are not.",
	},
	{
		ID: "S15", Title: "Whoever holds your ID is you",
		Means:  "A ticket does not know its owner: a copy of it opens the same session, from anywhere. So it must not get into other hands, and you must be able to see where you are signed in, and to end it.",
		Seen:   []Seen{{onStory + "hijacked", "Mallory copies Alice’s ticket while she is signed in, and is Alice, until she signs out."}, {onSessions, "Signed in: all sessions of your account. A thief of your password has one of his own there, and you can end it."}},
		Code:   []string{"internal/sessions.Manager.ByUser", "internal/sessions.Manager.EndHandle", "internal/sessions.Manager.EndOthers"},
		Tests:  []string{"internal/web.TestSessionsEndFromTheirPage", "internal/web.TestForeignSessionIsNotThere", "internal/web.TestThiefCannotSurviveAChangeOfPassword"},
		NotYet: "A lab in which you steal a ticket yourself.",
	},
	{
		ID: "S16", Title: "Prevention: HTTPS, HttpOnly, a new ID, a short life",
		Means: "Nobody must read the ticket on its way (HTTPS and Secure) or by a script (HttpOnly), nobody must know it beforehand (a new ID at the sign-in), and if all fails it should not be good for long. None of these replaces the others.",
		Seen:  []Seen{{onLife, "Open your “POST /login” or “POST /cart/items”: “What went back” takes the Set-Cookie line apart, flag by flag."}},
		Code:  []string{"internal/sessions.cookie", "internal/sessions.cookie.set", "internal/sessions.DefaultPolicy"},
		Tests: []string{"internal/sessions.TestCookieHasItsNameAndFlags", "internal/e2e/browser.TestNoScriptCanReadTheTicket", "internal/e2e.TestShopOverTLS"},
	},
	{
		ID: "S17", Title: "A planted ID must not survive the sign-in",
		Means:  "In a fixation, somebody slips an ID that they know into your browser, and waits until you have signed in with it. So a sign-in always moves to a new ID and lets the old one die, and an ID that the shop has not made is never taken up.",
		Seen:   []Seen{{onStory + "old-copy", "Mallory holds a copy of Alice’s ticket from before she signed in. Afterwards it opens nothing."}, {onLife, "Your own torn ticket, once you have signed in with something in your cart."}},
		Code:   []string{"internal/sessions.Manager.SignIn", "internal/sessions.Manager.move", "internal/sessions/pgstore.Store.Move"},
		Tests:  []string{"internal/sessions.TestPlantedSessionIsDeadAfterTheVictimSignsIn", "internal/sessions.TestUnknownIDIsNeverAdopted", "internal/web.TestPlanterOfASessionIsLeftWithNothing"},
		NotYet: "A lab with a weak shop, where the planted ID does survive.",
	},
	{
		ID: "S18", Title: "IDs in addresses are not accepted",
		Means:  "An address is written into logs, bookmarks and the Referer header, and people send it to each other. So an ID in an address, or in a form, counts for nothing here.",
		Code:   []string{"internal/sessions.cookie.read"},
		Tests:  []string{"internal/sessions.TestIDOutsideTheCookieIsIgnored", "internal/web.TestIDsInAddressesAndFormsAreIgnored"},
		NotYet: "A lab that shows how such an address leaks. Until then: append ?session= and what you like to any address here, and see that the X-ray takes no notice.",
	},
}

var timeouts = []Claim{
	{
		ID: "S19", Title: "Absolute timeout: dead after a fixed life, however busy",
		Means:  "However often a session is used, there comes a time when the password is asked for again. It limits for how long a stolen ticket is good.",
		Seen:   []Seen{{onXRay, "The second clock, which nothing sets back."}},
		Code:   []string{"internal/sessions.Policy", "internal/sessions.Session.Expired"},
		Tests:  []string{"internal/sessions.TestSessionEndsAtItsAbsoluteLimitHoweverBusy", "internal/web.TestBusySessionEndsToo"},
		NotYet: "A lab in which time can be made to pass.",
	},
	{
		ID: "S20", Title: "Idle timeout: dead after a pause, extended by use",
		Means:  "A session that nobody uses ends soon, and each use puts that off. It is for the computer in the library that somebody has walked away from.",
		Seen:   []Seen{{onXRay, "The first clock. Wait for a minute, load the page again, and see it set back; “The coat room” shows the touch."}},
		Code:   []string{"internal/sessions.Policy.idleUntil", "internal/sessions.Policy.worthTouching", "internal/sessions/pgstore.Store.Touch"},
		Tests:  []string{"internal/sessions.TestIdleSessionLivesToItsLimitAndNotMuchLonger", "internal/sessions.TestTouchesAreThrottled", "internal/web.TestIdleSessionEnds"},
		NotYet: "A lab in which time can be made to pass.",
	},
	{
		ID: "S21", Title: "How long is a choice between risk and comfort",
		Means:  "A bank signs you out after minutes, a forum after weeks: what would a thief gain, and how annoying is the password? Here it is half an hour and twelve hours, or, for those who tick “keep me signed in”, two weeks and thirty days.",
		Seen:   []Seen{{"/login#keep", "“Keep me signed in” chooses the longer one of two policies."}},
		Code:   []string{"internal/sessions.DefaultPolicy", "internal/sessions.Manager.PolicyOf"},
		Tests:  []string{"internal/sessions.TestKeptSessionLivesForTwoWeeksWithoutRequests", "internal/sessions.TestKeptSessionEndsAfterThirtyDaysHoweverBusy"},
		NotYet: "A lab with policies to choose from.",
	},
}

var tokens = []Claim{
	{
		ID: "S22", Title: "What stands in a JWT can be read by the client",
		Means:  "A JSON Web Token carries the data itself, signed but not hidden: anybody who holds it can decode it. An ID carries nothing to decode.",
		NotYet: "A lab with tokens and sessions side by side.",
	},
	{
		ID: "S23", Title: "A session is revoked by deleting it; a token lives on",
		Means:  "What has to be looked up can be taken away: the row is deleted, and the next request is anonymous. A token is good until it expires, unless every server asks a list of revoked ones, and that is a session store again.",
		Seen:   []Seen{{onSessions, "Signed in in two browsers, end one from the other: it is out at its next request."}, {onStory + "copy-is-dead", "A copy that was good a moment ago opens nothing."}},
		Code:   []string{"internal/sessions.Manager.EndHandle", "internal/sessions.Manager.EndUser"},
		Tests:  []string{"internal/e2e.TestSignOutOnOneServerIsSignOutOnAll", "internal/web.TestDisabledAccountIsOutAtOnceAndStaysOut"},
		NotYet: "A lab in which a token goes on working after the sign-out.",
	},
	{
		ID: "S24", Title: "The session’s cookie stays small; a token grows",
		Means:  "However much the server remembers, the ID has 43 letters. A token has to carry all of it, with each request.",
		Seen:   []Seen{{onXRay, "The ticket is as long for a guest as for Alice with a full cart."}},
		Code:   []string{"internal/sessions.newID"},
		Tests:  []string{"internal/sessions.TestMalformedIDCostsNoQuery"},
		NotYet: "A lab that lays their bytes side by side.",
	},
	{
		ID: "S25", Title: "When to use which",
		Means:  "Sessions suit a site where people sign in and out and where somebody must be able to put an end to it. Tokens suit services that talk to each other and share no store, for minutes at a time.",
		NotYet: "The last page of the lab about tokens.",
	},
}
