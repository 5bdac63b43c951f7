package main

// A requirement is one sentence that must hold, and the tests that prove it.
type requirement struct {
	id    string
	holds string
	// tests are named as "internal/web.TestX", or "internal/web.TestX/sub" for
	// a part of one.
	tests []string
}

type section struct {
	title, intro string
	requirements []requirement
}

// table is everything that has to hold. Numbers are those of OWASP ASVS 5.0;
// those with an X are the shop's own.
var table = []section{aroundSessions, aroundTheRest}

var aroundSessions = section{
	title: "Sessions",
	intro: "Chapter 7 of the ASVS, and what attacks on sessions and their races have taught others.",
	requirements: []requirement{
		{"7.1.1", "The idle and the absolute limit are written down with their reasons, and the figures in the README are those that are measured.", []string{
			"internal/proofs.TestReadmeStatesTheLimits",
			"internal/sessions.TestIdleSessionLivesToItsLimitAndNotMuchLonger",
			"internal/sessions.TestSessionEndsAtItsAbsoluteLimitHoweverBusy",
		}},
		{"7.1.2", "It is written down how many sessions an account may have, and the sign-in beyond that ends the oldest.", []string{
			"internal/proofs.TestReadmeStatesTheLimits",
			"internal/sessions/pgstore.TestStoreKeepsTheContract/DeleteOldestKeepsTheNewest",
			"internal/web.TestSignInBeyondTheMostEndsTheOldest",
		}},
		{"7.2.1", "The server looks every ticket up in its own store; nothing that a browser sends is believed.", []string{
			"internal/sessions.TestFlippedIDIsAnonymous",
			"internal/sessions.TestMalformedIDCostsNoQuery",
			"internal/e2e.TestSignOutOnOneServerIsSignOutOnAll",
		}},
		{"7.2.2", "Each session has an ID that was made for it and for no other.", []string{
			"internal/sessions.TestUnknownIDIsNeverAdopted",
			"internal/sessions.TestSigningInAgainMovesAgain",
		}},
		{"7.2.3", "An ID is 256 bits from the system's cryptographic source; a million have no pair and no pattern.", []string{
			"internal/sessions.TestMillionIDsHaveNoPairAndNoPattern",
			"internal/sessions.TestIDCanBeWrittenInOneWayOnly",
		}},
		{"7.2.4", "A sign-in, the first or another, makes a new ID, and so does the password given again; the old one is dead everywhere.", []string{
			"internal/sessions.TestSignInMovesToANewID",
			"internal/sessions.TestPlantedSessionIsDeadAfterTheVictimSignsIn",
			"internal/web.TestSignInMovesToANewID",
			"internal/web.TestSecondSignInMovesAgain",
			"internal/sessions.TestRenewBeginsTheSessionAnew",
			"internal/web.TestChangedPasswordEndsAllOtherSessions",
			"internal/e2e.TestAlicesStory",
		}},
		{"7.3.1", "A session that is not used ends at the idle limit.", []string{
			"internal/sessions.TestIdleSessionLivesToItsLimitAndNotMuchLonger",
			"internal/sessions.TestIdleLimitCountsFromTheLastRequest",
			"internal/sessions.TestKeptSessionLivesForTwoWeeksWithoutRequests",
			"internal/web.TestIdleSessionEnds",
		}},
		{"7.3.2", "A session ends at the absolute limit, however busy it is.", []string{
			"internal/sessions.TestSessionEndsAtItsAbsoluteLimitHoweverBusy",
			"internal/sessions.TestIdleLimitNeverReachesPastTheAbsoluteOne",
			"internal/sessions.TestKeptSessionEndsAfterThirtyDaysHoweverBusy",
			"internal/web.TestBusySessionEndsToo",
		}},
		{"7.4.1", "Sign-out and timeouts end the session in the store, so that a copied cookie is worth nothing on any server.", []string{
			"internal/sessions.TestSignOutEndsTheSessionAndThenClearsTheCookie",
			"internal/sessions.TestTimedOutSessionIsDeletedAndItsCookieCleared",
			"internal/web.TestSignOutEndsTheSessionInTheStore",
			"internal/e2e.TestSignOutOnOneServerIsSignOutOnAll",
			"internal/e2e.TestAlicesStory",
			"internal/e2e/scale.TestThreeServersAreOneShop/postgres/a_sign-out_on_one_is_a_sign-out_on_all",
			"internal/e2e/scale.TestThreeServersAreOneShop/redis/a_sign-out_on_one_is_a_sign-out_on_all",
			"internal/e2e/scale.TestThreeServersAreOneShop/redis_cluster/a_sign-out_on_one_is_a_sign-out_on_all",
			"internal/e2e/scale.TestThreeServersAreOneShop/memcached/a_sign-out_on_one_is_a_sign-out_on_all",
		}},
		{"7.4.2", "Disabling or deleting a user ends all their sessions at once.", []string{
			"internal/web.TestDisabledAccountIsOutAtOnceAndStaysOut",
			"internal/web.TestLateSignInLeavesNoSession",
			"internal/web.TestSessionOfADisabledUserIsTurnedAway",
			"internal/visitors.TestChangesOfAUserCountAtTheNextRequest",
			"internal/e2e.TestOperatorDisablesAndEnables",
		}},
		{"7.4.3", "A changed password ends the user's other sessions.", []string{
			"internal/web.TestChangedPasswordEndsAllOtherSessions",
			"internal/web.TestLateSignInLeavesNoSession",
			"internal/web.TestThiefCannotSurviveAChangeOfPassword",
			"internal/web.TestChangeIsFinishedAlthoughTheVisitorLeaves",
		}},
		{"7.4.4", "Every page of a signed-in visitor offers the sign-out.", []string{
			"internal/web.TestSignOutIsOnEveryPageOfASignedInVisitor",
			"internal/e2e.TestAlicesStory",
		}},
		{"7.4.5", "An administrator can end the sessions of one user, or of all.", []string{
			"internal/web.TestAdministratorEndsAUsersSessions",
			"internal/web.TestEndingEverybodysSessionsAsksForThePassword",
		}},
		{"7.5.1", "Password and e-mail are changed only with the current password.", []string{
			"internal/web.TestAccountIsChangedOnlyWithTheCurrentPassword",
			"internal/web.TestGuessesAtTheCurrentPasswordAreThrottled",
		}},
		{"7.5.2", "Users see their own sessions and can end any or all of them, after a fresh password; nobody else's are within reach.", []string{
			"internal/web.TestSessionsPageShowsWhatIsInTheStore",
			"internal/web.TestSessionsEndFromTheirPage",
			"internal/web.TestForeignSessionIsNotThere",
			"internal/web.TestSessionsEndOnlyAfterAFreshPassword",
			"internal/web.TestNothingButThePasswordMakesASessionFresh",
			"internal/web.TestEndedSessionEndsNoOther",
		}},
		{"7.5.3", "The riskiest act, ending everybody's sessions, asks the administrator for the password again.", []string{
			"internal/web.TestEndingEverybodysSessionsAsksForThePassword",
		}},
		{"7.6.2", "No session signs itself in: nothing but the sign-in form does, and a link never.", []string{
			"internal/web.TestGETAndHEADChangeNothing",
			"internal/web.TestReadingMakesNoSessions",
		}},
		{"X1", "IDs are stored only as hashes: a copy of the table opens nobody's session.", []string{
			"internal/sessions.TestCopyOfTheTableOpensNobodysSession",
		}},
		{"X2", "An ID that the shop has not made is never adopted.", []string{
			"internal/sessions.TestUnknownIDIsNeverAdopted",
			"internal/web.TestPlantedIDsAreNeverAdopted",
		}},
		{"X3", "Reading makes no rows, with or without a cookie.", []string{
			"internal/sessions.TestLookingAroundMakesNoSession",
			"internal/sessions.TestPageViewAnswersAnUnknownIDWithoutACookie",
			"internal/web.TestReadingMakesNoSessions",
		}},
		{"X4", "An ID in an address, a form or any other header counts for nothing.", []string{
			"internal/sessions.TestIDOutsideTheCookieIsIgnored",
			"internal/web.TestIDsInAddressesAndFormsAreIgnored",
		}},
		{"X5", "Of two session cookies none counts, whichever comes first.", []string{
			"internal/sessions.TestRepeatedCookieIsAnonymousInWhateverOrder",
			"internal/web.TestPlantedIDsAreNeverAdopted",
		}},
		{"X6", "Cookies of a wrong shape, from a byte to a mebibyte, do no harm and cost no query.", []string{
			"internal/sessions.TestMalformedIDCostsNoQuery",
			"internal/sessions.FuzzCookie",
			"internal/web.TestOversizeCookiesAreHarmless",
		}},
		{"X7", "Nothing that was confirmed is lost: additions to a cart count, whatever else happens at that moment, and count once; and none is begun for somebody who has been told that it cannot be.", []string{
			"internal/web.TestParallelAdditionsAllCount",
			"internal/web.TestAdditionsRacingASignInAreCountedOrRefused",
			"internal/web.TestAdditionAheadOfASignInIsMerged",
			"internal/web.TestAdditionInTheMiddleOfASignInIsMerged",
			"internal/web.TestAdditionBehindASignInIsRefused",
			"internal/web.TestAddingWithoutEndSignsNobodyOut",
			"internal/web.TestAdditionsRacingACheckoutAreNotLost",
			"internal/cart.TestAdditionsAtOnceAllCountUpToTheLimit",
			"internal/cart.TestAdditionsThatAreCommittedTogetherCountEach",
			"internal/cart.TestAdditionsThatMakeTheSameLineBothCount",
			"internal/cart.TestAdditionOfUnknownOutcomeIsNotRepeated",
			"internal/cart.TestAdditionIsNotMadeForWhoHasLeft",
		}},
		{"X8", "Dead stays dead: no call, however late, brings back a session that has ended. Every ending meets every call, by chance and in each order that row locks allow.", []string{
			"internal/sessions/pgstore.TestStoreKeepsTheContract/DeadStaysDeadAfterDelete",
			"internal/sessions/pgstore.TestStoreKeepsTheContract/DeadStaysDeadAfterMove",
			"internal/sessions/pgstore.TestStoreKeepsTheContract/DeadStaysDeadAfterDeleteHandle",
			"internal/sessions/pgstore.TestStoreKeepsTheContract/DeadStaysDeadAfterDeleteByUser",
			"internal/sessions/pgstore.TestStoreKeepsTheContract/DeadStaysDeadAfterSweep",
			"internal/sessions/pgstore.TestLateCallWaitsForADeathAndFindsNothing",
			"internal/sessions/pgstore.TestEndedSessionIsNotFoundByALookUpThatOthersShare",
			"internal/batch.TestNobodyJoinsALookUpThatHasBegun",
			"internal/sessions/pgstore.TestDeleteThatMeetsADeathEndsTheSessionEitherWay",
			"internal/sessions/pgstore.TestDeleteByUserCatchesASessionOnTheMove",
			"internal/sessions/pgstore.TestDeathWaitsForATouchAndIsFinal",
			"internal/sessions.TestSessionThatEndsUnderTheMiddlewareIsUnknown",
			"internal/sessions.TestOfManyChangesAtOnceOneWins",
		}},
		{"X8, stores", "The same in memory, in Redis, in a cluster of Redis and in Memcached; and in each store the answers to tens of thousands of calls that overlap are those of one call after the other.", []string{
			"internal/sessions/memstore.TestStoreKeepsTheContract/DeadStaysDeadAfterMove",
			"internal/sessions/redisstore.TestStoreKeepsTheContract/DeadStaysDeadAfterMove",
			"internal/sessions/redisstore.TestStoreKeepsTheContractInACluster/DeadStaysDeadAfterMove",
			"internal/sessions/redisstore.TestStoreKeepsTheContractUnderSentinels/DeadStaysDeadAfterMove",
			"internal/sessions/memcachestore.TestStoreKeepsTheContract/DeadStaysDeadAfterMove",
			"internal/sessions/memcachestore.TestStoreKeepsTheContractOnThreeServers/DeadStaysDeadAfterMove",
			"internal/sessions/pgstore.TestHistoryIsLinearizable",
			"internal/sessions/memstore.TestHistoryIsLinearizable",
			"internal/sessions/redisstore.TestHistoryIsLinearizable",
			"internal/sessions/redisstore.TestHistoryIsLinearizableInACluster",
			"internal/sessions/memcachestore.TestHistoryIsLinearizable",
			"internal/sessions/sessionstest.TestHistoryNoticesWhatIsWrong",
			"internal/sessions/redisstore.TestCommandWithoutAnAnswerIsNotSentAgain",
			"internal/sessions/casstore.TestSignInThatBreaksOffLeavesOneSession",
			"internal/sessions/casstore.TestHalfAMoveIsFinishedByWhoeverComesUponIt",
			"internal/sessions/casstore.TestEndingAllNeedsNoListAndKeepsOneThroughout",
		}},
		{"X9", "A request that is under way while a sign-in changes the ID leaves the new cookie alone.", []string{
			"internal/sessions.TestWorkInFlightLeavesTheNewCookieAlone",
			"internal/sessions.TestChangeOfASessionThatHasEndedChangesNothing",
			"internal/web.TestAdditionBehindASignInIsRefused",
			"internal/web.TestAddingWithoutEndSignsNobodyOut",
		}},
		{"X9, password", "The same while a new password changes the ID.", []string{
			"internal/web.TestRequestThatIsTooLateForItsTicketLeavesTheNewOneAlone",
			"internal/web.TestWorkInFlightDuringAChangeOfPasswordSignsNobodyOut",
			"internal/web.TestSecondPressOfTheButtonSignsNobodyOut",
			"internal/web.TestEndingOthersSparesWhatThisOneHasMovedTo",
		}},
		{"X10", "An answer that says that something was done leaves only after it was committed.", []string{
			"internal/sessions.TestNoCookieIsSentForASessionThatWasNotFiled",
			"internal/web.TestWhatTheStoreDidNotDoIsNotReportedAsDone",
			"internal/web.TestOutageOfTheSessionStoreAloneIsNoSignOut",
		}},
		{"X11", "A store that is down signs nobody out: the answer is a 503, and the cookie works afterwards.", []string{
			"internal/sessions.TestStoreThatFailsIsNoSignOut",
			"internal/sessions.TestRequestThatIsCalledOffIsNoSignOut",
			"internal/web.TestOutageKeepsEverybodySignedIn",
			"internal/e2e.TestDatabaseDownIsNoSignOut",
			"internal/chaos.TestPostgresIsKilledWhilePeopleShop",
			"internal/chaos.TestAShopIsKilledWhilePeopleShop",
			"internal/chaos.TestPostgresFailsOverWhilePeopleShop",
			"internal/chaos.TestLineToPostgresBreaks",
			"internal/chaos.TestLineToRedisBreaks",
			"internal/chaos.TestLinesToRedisClusterBreak",
			"internal/chaos.TestLinesToMemcachedBreak",
			"internal/sessions/redisstore.TestSessionsGoOnUnderAnotherMaster",
		}},
		{"X11, full", "A store that has no room left turns new visitors away or forgets old ones, as it was told, and takes nobody for somebody else.", []string{
			"internal/chaos.TestRedisThatRefusesIsFull",
			"internal/chaos.TestRedisThatEvictsIsFull",
			"internal/chaos.TestMemcachedThatEvictsIsFull",
			"internal/chaos.TestMemcachedThatRefusesIsFull",
			"internal/sessions/memstore.TestFullStoreTurnsNewcomersAwayAndKeepsTheOthers",
			"internal/sessions/casstore.TestLostKeysEndSessionsForGood",
		}},
		{"X12", "A sign-out that did not happen is not reported as done.", []string{
			"internal/sessions.TestSignOutThatFailsSaysSoAndLeavesTheCookie",
			"internal/web.TestWhatTheStoreDidNotDoIsNotReportedAsDone",
			"internal/web.TestOutageKeepsEverybodySignedIn",
		}},
		{"X13", "Sessions time out whether or not anybody sweeps.", []string{
			"internal/sessions.TestTimedOutSessionIsDeletedAndItsCookieCleared",
			"internal/e2e.TestTimedOutVisitorIsToldAndLedOn",
		}},
		{"X14", "The sweep works in small steps, holds up nobody, and is safe on several servers at once.", []string{
			"internal/sessions/pgstore.TestSweepTakesManyShortTransactions",
			"internal/sessions/pgstore.TestSweepGoesPageByPage",
			"internal/sessions/pgstore.TestSweepRestsTwiceAsLongAsItWorks",
			"internal/sessions/pgstore.TestTwoServersSweepEachRowOnce",
			"internal/sessions/pgstore.TestSweepTakesWhatNobodyHolds",
			"internal/sessions/pgstore.TestSweepPassesOverARowThatATouchHolds",
			"internal/e2e/scale.TestSweepsOfSeveralServersDoNotCollide/postgres",
			"internal/e2e/scale.TestSweepsOfSeveralServersDoNotCollide/redis",
			"internal/e2e/scale.TestSweepsOfSeveralServersDoNotCollide/redis_cluster",
			"internal/e2e/scale.TestSweepsOfSeveralServersDoNotCollide/memcached",
		}},
		{"X15", "The idle deadline is written once in a while, not at each request, and never by a file.", []string{
			"internal/sessions.TestTouchesAreThrottled",
			"internal/sessions.TestStoredDeadlineIsLateByTheSlackAtMost",
			"internal/web.TestTouchesAreRareAndNeverByAssets",
			"internal/web.TestPagesTakeTwoRoundTripsAndWriteNothing",
		}},
		{"X17", "A row holds references and deadlines, and describes neither a person nor a thing.", []string{
			"internal/sessions/pgstore.TestRowHoldsReferencesAndDeadlinesOnly",
		}},
		{"X18", "A sign-in takes nothing along but the guest's cart: nothing planted, nothing of another user's.", []string{
			"internal/sessions.TestPlantedSessionIsDeadAfterTheVictimSignsIn",
			"internal/web.TestSignInAsSomebodyElseTakesNothingAlong",
			"internal/web.TestPlanterOfASessionIsLeftWithNothing",
		}},
		{"X20", "The limit on an account's sessions holds under fifty sign-ins at once.", []string{
			"internal/sessions/pgstore.TestStoreKeepsTheContract/OfManySignInsAtOnceNoMoreThanMostAreLeft",
			"internal/web.TestManySignInsAtOnceLeaveNoMoreThanTheMost",
		}},
		{"X21", "After the sign-out the browser's back button shows no page of the account.", []string{
			"internal/e2e/browser.TestBackAfterSignOutShowsNothing",
		}},
		{"X22", "No X-ray tells a whole ID or a whole hash of one, wherever a client has put it, nor a password that was sent in a form.", []string{
			"internal/web.TestXRayTellsNoSecret",
			"internal/xray.TestXRayHasNoWholeID",
			"internal/xray.TestIDIsCutWhereverItIsPut",
		}},
		{"X23", "Outside demo mode nothing is X-rayed: there is no page, no header and no cookie of it, and nobody listens.", []string{
			"internal/web.TestXRayIsOffOutsideADemo",
		}},
		{"X24", "An X-ray is for whoever holds the session that it is of. What a sign-out leaves behind is shown once, within a minute, to the browser that signed out.", []string{
			"internal/sessions/pgstore.TestStoryEndsAtAnotherUsersSession",
			"internal/web.TestXRayIsOnesOwnAlone",
			"internal/xray.TestNothingOfAnotherUserIsRemembered",
			"internal/web.TestPageAfterTheSignOutShowsItOnce",
			"internal/web.TestWhatASignOutLeavesIsForNobodyElse",
			"internal/web.TestXRaysAtOnceAreKeptApart",
			"internal/xray.TestWhatIsLeftIsForNobodyElse",
			"internal/xray.TestVisitorsAtOnceAreKeptApart",
		}},
		{"X25", "An X-ray lists each statement that was sent, adds none, writes nothing, and shows what a client sent as text.", []string{
			"internal/web.TestXRayListsEveryStatement",
			"internal/web.TestXRayAddsNoStatement",
			"internal/web.TestPagesTakeTwoRoundTripsAndWriteNothing",
			"internal/web.TestXRayShowsHostileTextAsText",
			"internal/xray.TestXRayTellsTheStoryOfASession",
			"internal/xray.TestTextStaysTextOnAPanel",
		}},
	},
}
