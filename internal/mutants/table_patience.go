package main

var ofPatience = []mutant{
	{"the arrival of a form counts as the shop's", "internal/web/form.go",
		`start := clockOf(r.Context()).stop()`, `start := func() {}`,
		"internal/web", "TestPatienceDoesNotCountTheArrival"},
	{"a clock that was stopped has no end", "internal/web/patience.go",
		`c.timer.Reset(left)`, `_ = left`,
		"internal/web", "TestPatienceDoesNotCountTheArrival"},
	{"a page may take for ever", "internal/web/patience.go",
		`cancel(errLate) })`, `_ = errLate })`,
		"internal/web", "TestPatienceEnds"},
	{"the hashing of a password is held against the database", "internal/auth/password.go",
		`defer hashing(ctx)()`, ``,
		"internal/web", "TestPatienceDoesNotCountTheHashing"},
	{"the checking of a password is held against the database", "internal/auth/auth.go",
		"done := hashing(ctx)", "done := func() {}",
		"internal/web", "TestPatienceDoesNotCountTheHashing"},
}
