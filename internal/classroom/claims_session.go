package classroom

var theCoatCheck = []Claim{
	{
		ID: "S1", Title: "A session is a coat check",
		Means: "You hand over your coat, and get a numbered ticket; later you show the ticket, and get your coat. The server is the cloakroom, the session is the coat, and the ticket is a number in a cookie.",
		Seen:  []Seen{{onXRay, "Put a coat into your cart and open the X-ray at the foot of the page: the stub on the left is your ticket, the rest is what hangs in the room."}},
		Code:  []string{"internal/sessions.Session", "internal/sessions.id"},
		Tests: []string{"internal/web.TestIDAppearsInSetCookieAlone", "internal/sessions/pgstore.TestRowHoldsReferencesAndDeadlinesOnly"},
	},
	{
		ID: "S2", Title: "The data stays on the server; only an ID travels",
		Means: "The cookie holds the ID and nothing else: not your name, not your cart, not even the number of your account. All of that stays behind the counter, where no browser can read or change it.",
		Seen:  []Seen{{onXRay, "Compare “The ticket”, which is all that your browser sent, with “The coat”, which it has never seen."}},
		Code:  []string{"internal/sessions.cookie.send", "internal/sessions.id.key"},
		Tests: []string{"internal/sessions.TestCookieHasItsNameAndFlags", "internal/sessions.TestCopyOfTheTableOpensNobodysSession"},
	},
	{
		ID: "S3", Title: "From a number to “you are Alice, with three items”",
		Means: "The number leads to a row, the row says “user 1, cart 7”, and the name and the items are fetched from where they live. It works after the server was started again, too, because the row is in the database and not in the server’s memory.",
		Seen:  []Seen{{onStory + "restart", "Play Alice’s story, and watch her stay signed in while the server is restarted."}, {onXRay, "In “The coat” an arrow shows what each reference led to."}},
		Code:  []string{"internal/web.Shop.load", "internal/sessions.Manager.look"},
		Tests: []string{"internal/e2e.TestAlicesStory", "internal/web.TestPagesTakeTwoRoundTripsAndWriteNothing"},
	},
}

var theLife = []Claim{
	{
		ID: "S4", Title: "Creating: a record, a place in the store, an ID in a cookie",
		Means: "The server makes a random ID, files a session under its hash, and sends the ID in a Set-Cookie line; the browser keeps it and shows it from then on. Here that happens at your first coat, and again, under a new ID, when you sign in.",
		Seen:  []Seen{{onStory + "first-coat", "Alice takes her first coat, and a session begins."}, {onStory + "sign-in", "She signs in, and gets another one."}, {onLife, "After your own first coat: open “POST /cart/items”, which a redirect has hidden from you."}},
		Code:  []string{"internal/sessions.Manager.Begin", "internal/sessions.Manager.begin", "internal/sessions.Manager.newSession", "internal/sessions/pgstore.Store.Create"},
		Tests: []string{"internal/sessions.TestTraceTellsTheStoryOfASession", "internal/sessions.TestNoCookieIsSentForASessionThatWasNotFiled"},
	},
	{
		ID: "S5", Title: "Using: the cookie comes, and the server looks it up",
		Means: "At each request the server takes the ID from the cookie, looks for the session in its store, and checks both deadlines. Only then does the page’s own code run, and it knows who is asking.",
		Seen:  []Seen{{onXRay, "“The coat room” lists what was really asked, with times; the session’s part is set off."}},
		Code:  []string{"internal/sessions.Manager.Middleware", "internal/sessions.Manager.visit", "internal/sessions/pgstore.Store.Load"},
		Tests: []string{"internal/sessions.TestFlippedIDIsAnonymous", "internal/web.TestPagesTakeTwoRoundTripsAndWriteNothing"},
	},
	{
		ID: "S6", Title: "Destroying: the record is deleted, and the ID is dead",
		Means: "Signing out deletes the row first, and then tells the browser to drop its cookie. Whoever has copied the cookie holds a number that leads to nothing.",
		Seen:  []Seen{{onStory + "copy-is-dead", "Mallory shows a copied ticket after Alice has signed out."}, {onXRay, "Sign out, and open the X-ray of the page that follows: it shows the request that ended your session."}},
		Code:  []string{"internal/sessions.Manager.SignOut", "internal/sessions/pgstore.Store.Delete"},
		Tests: []string{"internal/sessions.TestSignOutEndsTheSessionAndThenClearsTheCookie", "internal/web.TestSignOutEndsTheSessionInTheStore", "internal/e2e.TestSignOutOnOneServerIsSignOutOnAll"},
	},
	{
		ID: "S7", Title: "Made, used and extended, ended",
		Means: "A session begins, lives longer each time it is used, and ends when somebody signs out or when its time is over. Each of these is on record, except for the uses, of which only the last one counts.",
		Seen:  []Seen{{onLife, "The life of your own session, one ticket after the other."}, {onSessions, "Signed in: the same as a list, and where else your account is open."}},
		Code:  []string{"internal/sessions.Event", "internal/sessions.Kind", "internal/xray.NewTimeline"},
		Tests: []string{"internal/sessions.TestTraceTellsTheStoryOfASession", "internal/web.TestSessionsPageShowsWhatIsInTheStore"},
	},
}

var cookieOrSession = []Claim{
	{
		ID: "S8", Title: "A cookie lives in the browser, and is the browser’s",
		Means:  "The browser sends it with each request, and whoever sits there can read it and change it. So a server must believe nothing that stands in a cookie, and this one doesn’t: it only looks it up.",
		Seen:   []Seen{{onXRay, "“The ticket” is what your browser sent just now. Change a letter of it in the browser’s tools, and it opens nothing."}},
		Code:   []string{"internal/sessions.cookie.read", "internal/sessions.parseID"},
		Tests:  []string{"internal/sessions.TestFlippedIDIsAnonymous", "internal/sessions.TestMalformedIDCostsNoQuery"},
		NotYet: "A lab in which you change a cookie on the page itself.",
	},
	{
		ID: "S9", Title: "“isAdmin: true” can be forged; an ID cannot be turned into anything",
		Means:  "If the cookie itself says what you may do, you can write into it what you like. An ID says nothing: to change it is to guess another one, of 2²⁵⁶.",
		Seen:   []Seen{{onXRay, "Nothing in the ticket says what you may do; “The coat” has a number, and the role is looked up under it."}},
		Code:   []string{"internal/web.Shop.administrator", "internal/sessions.Refs"},
		Tests:  []string{"internal/web.TestAdministrationIsThereForAdministratorsAlone", "internal/sessions.TestUnknownIDIsNeverAdopted"},
		NotYet: "A lab with a weak shop beside this one, where the forged cookie wins.",
	},
	{
		ID: "S10", Title: "A cookie holds 4 KB; a session what the server allows",
		Means:  "Browsers refuse cookies of more than about 4,096 bytes, and send each of them with every request. A session costs the browser 43 letters, however much hangs on it.",
		Seen:   []Seen{{onXRay, "“The coat” counts its bytes."}},
		Code:   []string{"internal/xray.Coat.Bytes", "internal/sessions.newID"},
		Tests:  []string{"internal/web.TestOversizeCookiesAreHarmless", "internal/sessions/pgstore.TestRowHoldsReferencesAndDeadlinesOnly"},
		NotYet: "A lab that fills a cookie until the browser gives up.",
	},
}

var stores = []Claim{
	{
		ID: "S11", Title: "In memory: fast, lost at a restart, one server only",
		Means:  "A map in the server’s memory is the fastest store there is. When the server ends, everybody is signed out, and a second server knows nobody.",
		Code:   []string{"internal/sessions/memstore.Store", "internal/sessions/memstore.Store.Create"},
		Tests:  []string{"internal/sessions/memstore.TestStoreKeepsTheContract", "internal/e2e/stores.TestTableOfStoresSaysWhatTheyDo", "internal/e2e/scale.TestServersThatShareNothingLoseTheSession"},
		NotYet: "A lab that pulls the plug. Until then, start the shop with --session-store memory, sign in, and start it again. (The X-ray’s list of your last requests is always kept like that.)",
	},
	{
		ID: "S12", Title: "In a database: survives restarts, shared, slower",
		Means: "A row in a table outlives the server, and every server that reads the table sees the same sessions. Each request pays for that with a look-up over the network.",
		Seen:  []Seen{{onStory + "after-restart", "The server is restarted, and a second one opens: Alice stays signed in on both."}, {onXRay, "“The coat room” shows what the look-up costs: the time beside “The session: load”."}},
		Code:  []string{"internal/sessions/pgstore.Store", "internal/sessions/pgstore.Store.Load", "internal/sessions.Store"},
		Tests: []string{"internal/sessions/pgstore.TestStoreKeepsTheContract", "internal/e2e.TestAlicesStory"},
	},
	{
		ID: "S13", Title: "In Redis or Memcached: fast, shared, expires by itself",
		Means:  "A store of its own that keeps everything in memory and forgets it when its time has come. It is one more thing to run, and what happens when it is full has to be known.",
		Code:   []string{"internal/sessions/casstore.Store", "internal/sessions/casstore.Store.Load", "internal/sessions/casstore.Store.finish", "internal/sessions/redisstore.Store", "internal/sessions/memcachestore.Store"},
		Tests:  []string{"internal/sessions/redisstore.TestStoreKeepsTheContractInACluster", "internal/sessions/redisstore.TestKeysExpireAnHourAfterTheirSessions", "internal/sessions/memcachestore.TestStoreKeepsTheContract", "internal/e2e/stores.TestTableOfStoresSaysWhatTheyDo"},
		NotYet: "A lab that fills one up. Until then, start the shop with --session-store redis or memcached: the X-ray shows what they are asked.",
	},
}
