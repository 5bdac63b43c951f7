package main

var aroundTheRest = section{
	title: "Around them",
	intro: "What keeps the ticket in the right hands: cookies, headers, forms, passwords, orders and the log.",
	requirements: []requirement{
		{"2.2", "Every field is checked by the server; what is refused changes nothing.", []string{
			"internal/web.TestBadQuantitiesAreRefused",
			"internal/web.TestWhatIsNoFormIsRefusedEverywhere",
			"internal/web.TestBadCheckoutFormIsRefused",
			"internal/web.TestOddAddressesAreNotFound",
			"internal/web.FuzzForm",
			"internal/cart.TestTheTableRefusesOddQuantities",
		}},
		{"2.3", "A checkout happens whole, once, and in its order, or not at all, and never sells what is not there.", []string{
			"internal/orders.TestPlaceTakesAllOrNothing",
			"internal/orders.TestSameKeyIsTheSameOrder",
			"internal/orders.Test500BuyersFor100PiecesMake100Orders",
			"internal/web.TestRepeatedCheckoutIsOneOrder",
			"internal/web.TestCheckoutShortOfStockChangesNothing",
			"internal/web.TestCheckoutOfAnEmptyCartIsRefused",
		}},
		{"3.2.2", "What a visitor types is shown as text, and no part of it runs.", []string{
			"internal/web.TestTextStaysText",
			"internal/e2e/browser.TestTextStaysText",
		}},
		{"3.3.1", "Over HTTPS every cookie is Secure.", []string{
			"internal/sessions.TestCookieHasItsNameAndFlags",
			"internal/web.TestCookiesAreHeldTight",
			"internal/e2e.TestPublicURLDecidesTheCookies",
			"internal/e2e/browser.TestSignInOverHTTPS",
		}},
		{"3.3.2", "Every cookie is SameSite=Lax.", []string{
			"internal/sessions.TestCookieHasItsNameAndFlags",
			"internal/web.TestCookiesAreHeldTight",
			"internal/e2e/browser.TestNoScriptCanReadTheTicket",
		}},
		{"3.3.3", "Over HTTPS every cookie has the prefix __Host-, and one without it is not read.", []string{
			"internal/sessions.TestPlainNameMeansNothingOverHTTPS",
			"internal/web.TestCookiesAreHeldTight",
			"internal/web.TestUnprefixedCookieIsIgnoredOverHTTPS",
		}},
		{"3.3.4", "No script can read the ID: the cookie is HttpOnly, and no page or other header shows it.", []string{
			"internal/web.TestIDAppearsInSetCookieAlone",
			"internal/web.TestCookiesAreHeldTight",
			"internal/e2e/browser.TestNoScriptCanReadTheTicket",
		}},
		{"3.4.1", "Over TLS every answer carries Strict-Transport-Security of a year.", []string{
			"internal/web.TestSecurityHeadersAreOnEveryAnswer",
			"internal/e2e.TestShopOverTLS",
		}},
		{"3.4.3–8", "Every answer, errors too, carries a policy that allows no script but the shop's own, none inline, no frame and no foreign source, and nosniff, Referrer-Policy, COOP and CORP.", []string{
			"internal/web.TestSecurityHeadersAreOnEveryAnswer",
		}},
		{"3.5.1–2", "Forms that another site sends are refused, and those of the shop are taken.", []string{
			"internal/web.TestFormsOfOtherSitesAreRefused",
			"internal/web.TestFormsOfTheShopAreTaken",
			"internal/web.TestFormsOfThePublicURLAreTaken",
		}},
		{"3.5.3", "GET and HEAD change nothing.", []string{
			"internal/web.TestGETAndHEADChangeNothing",
			"internal/web.TestWrongMethodIsToldTheRightOnes",
		}},
		{"3.7.2", "Where a sign-in leads on to is always on this site.", []string{
			"internal/web.TestNextStaysOnTheSite",
			"internal/web.FuzzNext",
		}},
		{"4.1.3", "A forwarded address counts only if a trusted proxy has written it.", []string{
			"internal/web.TestForgedAddressCountsOnlyFromATrustedProxy",
			"internal/e2e.TestForwardedAddressCountsFromATrustedProxyAlone",
			"internal/e2e/scale.TestThreeServersAreOneShop/postgres/nobody_can_forge_an_address",
		}},
		{"6.1.1, 6.3.1", "Guessers are slowed down by account and address, also many at once, and the owner is not locked out.", []string{
			"internal/auth.TestFailuresAreCountedByAccountAndAddress",
			"internal/auth.TestGuessesThatPassTheFirstLookTogetherAreCounted",
			"internal/auth.TestVolleyAtSeveralServersCannotSlipPastTheCount",
			"internal/web.TestGuesserIsSlowedDownAndTheOwnerIsNot",
			"internal/web.TestVolleyOfGuessesCannotSlipPastTheCount",
			"internal/web.TestUnknownAccountIsThrottledLikeAnyOther",
			"internal/web.TestIPv6AddressesOfOneNetworkShareACount",
		}},
		{"6.3.1, crowd", "However many passwords come at once, no more are hashed than leave the shop a core, a few wait, and the others are told within 100 ms to come again; to be turned away says nothing of an account and counts as nothing.", []string{
			"internal/auth.TestHashingLeavesACoreToTheShop",
			"internal/auth.TestQueueForHashingIsBounded",
			"internal/auth.TestWaitForATurnEndsWithTheRequest",
			"internal/auth.TestTurnIsGivenBack",
			"internal/web.TestTooManyPasswordsAtOnceAreTurnedAway",
			"internal/web.TestPasswordChangesWholeOrNotAtAllInACrowd",
			"internal/chaos.TestStormOfSignInsLeavesTheOtherPagesAlone",
		}},
		{"6.2.1", "A password has eight characters at least.", []string{"internal/auth.TestWhichPasswordsAreTaken"}},
		{"6.2.2–3", "A user can change the password, and must give the current one.", []string{
			"internal/web.TestChangedPasswordEndsAllOtherSessions",
			"internal/web.TestAccountIsChangedOnlyWithTheCurrentPassword",
		}},
		{"6.2.4", "Common passwords are refused (97.5 % of another list's 3,000 commonest; see below).", []string{"internal/auth.TestWhichPasswordsAreTaken"}},
		{"6.2.5", "No rule says which kinds of characters a password has.", []string{"internal/auth.TestWhichPasswordsAreTaken"}},
		{"6.2.6–7", "Fields for passwords hide what is typed, and let password managers and the clipboard work.", []string{"internal/web.TestPasswordFieldsHideAndHelp"}},
		{"6.2.8–9", "A password counts in full and as it was typed; 64 emoji and a thousand letters are welcome.", []string{
			"internal/auth.TestPasswordCountsInFull",
			"internal/auth.TestWhichPasswordsAreTaken",
		}},
		{"6.2.10", "A password does not grow too old.", []string{"internal/web.TestPasswordDoesNotAge"}},
		{"6.3.2", "There are no accounts but those that were made, unless the database was seeded as a demonstration.", []string{
			"internal/e2e.TestNoDemoAccountsWithoutASeed",
			"internal/web.TestSeedAccountsAreShownInADemoOnly",
		}},
		{"6.3.8", "Nobody learns who has an account: sign-in and sign-up look and take the same for every e-mail.", []string{
			"internal/auth.TestUnknownEmailCostsTheSame",
			"internal/auth.TestSignUpWithAKnownEmailChangesNothing",
			"internal/web.TestFailedSignInLooksTheSameForEveryEmail",
			"internal/web.TestSignUpLooksTheSameForEveryEmail",
		}},
		{"8.2.1", "Each function asks for the role that it needs.", []string{
			"internal/web.TestAdministrationIsThereForAdministratorsAlone",
		}},
		{"8.2.2", "Each order and each order key is its owner's alone; to others it does not exist.", []string{
			"internal/orders.TestForeignOrderIsNotFound",
			"internal/web.TestForeignOrderIsNotFound",
			"internal/web.TestOrderKeyIsTheUsersOwn",
		}},
		{"8.3.2", "A changed role counts at the next request.", []string{
			"internal/web.TestChangedRoleCountsAtTheNextRequest",
			"internal/visitors.TestChangesOfAUserCountAtTheNextRequest",
			"internal/e2e.TestOperatorChangesRoles",
		}},
		{"12.1.1, 12.2.1", "With a certificate the shop speaks TLS itself, 1.2 at least, and plain http only leads there.", []string{
			"internal/e2e.TestTLSBefore12IsRefused",
			"internal/e2e.TestShopOverTLS",
			"internal/e2e.TestRedirectLeadsToThePublicURL",
		}},
		{"14.3.2", "No page may be kept by a browser or a proxy, and what the shop keeps of its pages is nobody's own.", []string{
			"internal/web.TestSecurityHeadersAreOnEveryAnswer",
			"internal/view.TestPageOfAVisitorIsNobodyElses",
			"internal/view.TestKeptFrameIsThatOfAnyVisitor",
			"internal/e2e/browser.TestBackAfterSignOutShowsNothing",
		}},
		{"16.2–4", "Sign-ins, failures and sign-outs are logged once each, in UTC, and no ID, password or line of a stranger's is in the log.", []string{
			"internal/web.TestSignInsFailuresAndSignOutsAreLoggedOnce",
			"internal/web.TestLogTellsNoSecret",
			"internal/web.TestNobodyWritesALineOfTheLog",
			"internal/sessions.TestNoTraceButCookieHearsTheID",
			"internal/e2e.TestLogIsInUTC",
		}},
		{"16.3, record", "The beginning, the moves and the end of each session are on record in the database.", []string{
			"internal/sessions/pgstore.TestRecord/EveryChangeIsOnRecordOnce",
			"internal/sessions/pgstore.TestNothingHappensWithoutARecord",
			"internal/sessions/pgstore.TestRecord/EndIsOnRecordOnceHoweverManyEndIt",
			"internal/sessions/pgstore.TestRecordIsNeverRewritten",
			"internal/sessions.TestTimeoutIsOnRecordByItsDeadline",
		}},
		{"16.5", "Errors say nothing of what is inside, panics are caught, and nothing is let through because something failed.", []string{
			"internal/web.TestErrorsTellVisitorsNothingInside",
			"internal/web.TestWhatTheStoreDidNotDoIsNotReportedAsDone",
			"internal/view.TestFailedPageSendsNothing",
			"internal/auth.TestErrorsOfTheDatabaseAreNotWrongPasswords",
			"internal/orders.TestErrorsOfTheDatabaseAreNoRefusals",
		}},
	},
}
