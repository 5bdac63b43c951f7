package main

// ofOtherStores are the defences of the stores that are not Postgres.
var ofOtherStores = []mutant{
	{"a touch in memory revives", "internal/sessions/memstore/memstore.go",
		`if found && idleUntil.After(s.IdleUntil) {`, `if idleUntil.After(s.IdleUntil) { found = true`,
		"internal/sessions/memstore", "TestStoreKeepsTheContract"},
	{"memory has no limit", "internal/sessions/memstore/memstore.go",
		`if len(st.sessions) >= st.most {`, `if false {`,
		"internal/sessions/memstore", "TestFullStore"},
	{"a move in memory leaves the old one", "internal/sessions/memstore/memstore.go",
		"st.remove(old)\n", "",
		"internal/sessions/memstore", "TestStoreKeepsTheContract"},
	{"a touch in a box revives", "internal/sessions/casstore/casstore.go",
		`return found && f(b, s)`, "if !found {\n\t\t\tb.put(key, sessions.Session{Until: time.Now().Add(time.Hour)})\n\t\t\ts, found = b.find(key), true\n\t\t}\n\t\treturn f(b, s)",
		"internal/sessions/casstore", "TestStoreKeepsTheContract"},
	{"half a move counts before it has happened", "internal/sessions/casstore/box.go",
		`moved, err := st.finish(ctx, f)`, `moved, err := true, error(nil)`,
		"internal/sessions/casstore", "TestSignInThatBreaksOff|TestStoreKeepsTheContract|TestHistory"},
	{"ending everybody's begins no new generation", "internal/sessions/casstore/users.go",
		`before, err := st.replace(ctx, name, next)`, `before, err := "", error(nil)`,
		"internal/sessions/casstore", "TestEndingAll"},
	{"ending everybody's ends one's own for a moment", "internal/sessions/casstore/users.go",
		`b.Survives = string(next)`, ``,
		"internal/sessions/casstore", "TestEndingAll"},
	{"a box counts in any generation", "internal/sessions/casstore/box.go",
		`now.Value == nil || b.Generation != present && b.Survives != present`, `present == "never"`,
		"internal/sessions/casstore", "TestLostKeys|TestEndingAll"},
	{"a key of a box is taken over", "internal/sessions/casstore/casstore.go",
		`if err == nil && !added {`, `if err == nil && !added && false {`,
		"internal/sessions/casstore", "TestStoreKeepsTheContract"},
	{"Redis swaps without comparing", "internal/sessions/redisstore/redisstore.go",
		`if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end`, ``,
		"internal/sessions/redisstore", "TestStoreKeepsTheContract$"},
	{"a cluster is sent a change twice", "internal/sessions/redisstore/redisstore.go",
		`func (once) NoRetry() bool { return true }`, `func (once) NoRetry() bool { return false }`,
		"internal/sessions/redisstore", "TestCommandWithoutAnAnswer"},
	{"what has expired stays in Redis", "internal/sessions/redisstore/redisstore.go",
		`redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]); return 1`, `redis.call('SET', KEYS[1], ARGV[2]); return 1`,
		"internal/sessions/redisstore", "TestKeysExpire"},
	{"keys in Redis have no namespace", "internal/sessions/redisstore/redisstore.go",
		`&backend{client, namespace + ":"}`, `&backend{client, ""}`,
		"internal/sessions/redisstore", "TestKeysExpire"},
	{"Memcached swaps without comparing", "internal/sessions/memcachestore/memcachestore.go",
		`err := m.client.CompareAndSwap(&item)`, `err := m.client.Set(&item)`,
		"internal/sessions/memcachestore", "TestStoreKeepsTheContract$"},
	{"more than a month is a time to Memcached", "internal/sessions/memcachestore/memcachestore.go",
		`left <= month {`, `left <= 100*month {`,
		"internal/sessions/memcachestore", "TestKeysExpire"},
	{"Memcached lists no boxes", "internal/sessions/memcachestore/memcachestore.go",
		`_ = m.enlist(ctx, key)`, `_ = key`,
		"internal/sessions/memcachestore", "TestStoreKeepsTheContract$"},
	{"a client that is down is an end of the session", "internal/sessions/redisstore/redisstore.go",
		`if err != nil && !errors.Is(err, redis.Nil) {
		return nil, unavailable(err)
	}
	items := make([]casstore.Item, len(keys))
	for i, key := range keys {
		value, err := commands[i].Bytes()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, unavailable(err)
		}`, `_ = err
	items := make([]casstore.Item, len(keys))
	for i, key := range keys {
		value, err := commands[i].Bytes()
		if err != nil {
			value = nil
		}`,
		"internal/sessions/redisstore", "TestSessionsGoOn"},
}
