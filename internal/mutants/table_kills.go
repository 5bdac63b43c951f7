package main

// ofKills is what stands between a server that dies and the people who notice
// nothing of it.
var ofKills = []mutant{
	{"a Postgres that dies is a fault of the shop's", "internal/postgres/unavailable.go",
		"io.ErrUnexpectedEOF", "io.ErrNoProgress",
		"internal/chaos", "TestPostgresIsKilled"},
	{"a form that got no answer cannot be sent again", "internal/orders/orders.go",
		"if number != 0 {", "if number < 0 {",
		"internal/chaos", "TestAShopIsKilled"},
	{"a blip of the store signs people out", "internal/sessions/middleware.go",
		"finish(err)\n\tif errors.Is(err, ErrNotFound) {\n\t\treturn visit{ticket: TicketUnknown, key: key}, nil", "finish(err)\n\tif err != nil {\n\t\treturn visit{ticket: TicketUnknown, key: key}, nil",
		"internal/chaos", "TestPostgresFailsOver"},
	{"a standby that is asked to write is a fault of the shop's", "internal/postgres/unavailable.go",
		" || pg.Code == readOnly", "",
		"internal/postgres", "TestToBeAskedToWrite"},
	{"a standby is said not to answer", "internal/postgres/postgres.go",
		"errors.Is(err, pgconn.ErrReadOnlyConnection)", "errors.Is(err, pgconn.ErrConnClosed)",
		"internal/postgres", "TestOfSeveralServersNone"},
	{"a silent server takes the time of the one that leads", "internal/postgres/postgres.go",
		"len(servers(config.ConnConfig)) > 1", "len(servers(config.ConnConfig)) > 2",
		"internal/postgres", "TestEachOfSeveralServers"},
	{"a Postgres that was just killed is not waited for", "internal/postgres/launch.go",
		"errors.Is(err, errLastOnes) &&", "errors.Is(err, errPortTaken) &&",
		"internal/postgres", "TestAKilledPostgresIsWaited"},
}
