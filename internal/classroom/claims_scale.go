package classroom

var scaling = []Claim{
	{
		ID: "S26", Title: "Two servers: “where is my session?”",
		Means:  "If each server remembers its own sessions, the next request may reach the one that has never heard of you. The more servers there are, the more often that happens.",
		Code:   []string{"internal/sessions/memstore.Store"},
		Tests:  []string{"internal/e2e/scale.TestServersThatShareNothingLoseTheSession"},
		NotYet: "A lab with two servers that share nothing. Three of them behind a load balancer are a test.",
	},
	{
		ID: "S27", Title: "Sticky sessions work until that server goes",
		Means:  "A load balancer can send each visitor to the same server every time. When that one is restarted, its visitors are signed out.",
		Code:   []string{"internal/sessions/memstore.Store"},
		Tests:  []string{"internal/e2e/scale.TestStickySessionsLastUntilTheServerGoes"},
		NotYet: "A lab with a load balancer that sticks. So far a test has one.",
	},
	{
		ID: "S28", Title: "A shared store: every server sees the same",
		Means: "If all servers look into one store, it does not matter which of them answers. What one of them ends has ended on all, at the next request.",
		Seen:  []Seen{{onStory + "second-server", "A second server opens, and knows Alice; she signs out there, and her ticket is dead on the first one, too."}},
		Code:  []string{"internal/sessions.Store", "internal/web.Shop.Drain"},
		Tests: []string{"internal/e2e.TestSignOutOnOneServerIsSignOutOnAll", "internal/e2e/scale.TestThreeServersAreOneShop"},
	},
	{
		ID: "S29", Title: "Stateless: nothing to share, and nothing to revoke",
		Means:  "If the client carries everything, servers need to share only a key. But then nobody can take back what has been handed out.",
		NotYet: "A lab with a server that remembers nothing.",
	},
}

var mistakes = []Claim{
	{
		ID: "S30", Title: "Keep references, and fetch what they refer to",
		Means:  "Whatever is stored in a session is read at each request, and may be out of date when it is. So a session here holds two numbers, and its type has no room for more.",
		Seen:   []Seen{{onXRay, "“The coat”: seven columns, of which two refer to something; and what they led to."}},
		Code:   []string{"internal/sessions.Refs", "internal/sessions.Session", "internal/web.Shop.load"},
		Tests:  []string{"internal/sessions/pgstore.TestRowHoldsReferencesAndDeadlinesOnly"},
		NotYet: "A lab that measures what it costs to store too much.",
	},
	{
		ID: "S31", Title: "A session that never ends is a risk",
		Means: "Every ticket that was ever lost stays good. So neither of the two limits can be switched off: a shop with such a setting does not open.",
		Seen:  []Seen{{onXRay, "Two clocks, and no way to stop either."}},
		Code:  []string{"internal/sessions.Policy.Check", "internal/sessions.NewManager"},
		Tests: []string{"internal/e2e.TestBadSettingsAreNamed"},
	},
	{
		ID: "S32", Title: "The same ID before and after the sign-in is a hole",
		Means: "Whoever knew the ID of a guest would know that of a customer: see S17. It is closed where it cannot be forgotten, because there is no way to sign in but by moving to a new ID.",
		Seen:  []Seen{{onStory + "sign-in", "The step in which Alice signs in shows her ticket before and after."}, {onLife, "Your torn ticket, and the new one."}},
		Code:  []string{"internal/sessions.Manager.SignIn", "internal/web.Shop.signIn"},
		Tests: []string{"internal/sessions.TestSignInMovesToANewID", "internal/web.TestSecondSignInMovesAgain"},
	},
	{
		ID: "S33", Title: "Without cookies: a header can carry the ID, too",
		Means:  "A program that is no browser can send the ID in a header such as Authorization. For browsers cookies are the usual way, because they send them by themselves and can keep them from scripts.",
		NotYet: "An example of a client that sends a header. So far only the cookie counts.",
	},
	{
		ID: "S34", Title: "A full store throws away or refuses, so let sessions expire",
		Means:  "Anybody can visit, so whoever makes a session for each visit can be made to run full by a crawler. Here a session begins at the first thing worth remembering, an account has twenty at most, and what has expired is swept away.",
		Seen:   []Seen{{onXRay, "In a private window, look around: you carry no ticket, and nothing was stored."}, {onStory + "look-around", "So does Alice."}},
		Code:   []string{"internal/sessions.Manager.SweepEvery", "internal/sessions/pgstore.Store.Sweep", "internal/sessions/pgstore.Store.DeleteOldest", "internal/web.Shop.putIntoCart"},
		Tests:  []string{"internal/web.TestReadingMakesNoSessions", "internal/web.TestSignInBeyondTheMostEndsTheOldest", "internal/sessions/pgstore.TestSweepTakesManyShortTransactions", "internal/sessions/redisstore.TestKeysExpireAnHourAfterTheirSessions", "internal/e2e/stores.TestTableOfStoresSaysWhatTheyDo"},
		NotYet: "A lab with a store that is full. So far a test fills each of them up.",
	},
}
