package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// An operator works by hand, beside a shop that is open.
type operator struct {
	t    *testing.T
	shop *process.Shop
}

// does runs a command that must work, and gives what it prints.
func (o operator) does(args ...string) string {
	o.t.Helper()
	result := o.shop.Operate("", args...)
	if result.Code != 0 || result.Err != "" {
		o.t.Errorf("shop %s: code %d, and\n%s", strings.Join(args, " "), result.Code, result.Err)
	}
	return result.Out
}

// fails runs a command that must not work, and say why in one line.
func (o operator) fails(code int, why string, args ...string) {
	o.t.Helper()
	result := o.shop.Operate("", args...)
	if result.Code != code || !strings.Contains(result.Err, why) || strings.Count(result.Err, "\n") != 1 || result.Out != "" {
		o.t.Errorf("shop %s: code %d, want %d and one line with %s:\n%s%s", strings.Join(args, " "), result.Code, code, why, result.Err, result.Out)
	}
}

// reads runs a command that must print JSON with these names and no others.
func reads[T any](o operator, names string, args ...string) (list []T) {
	o.t.Helper()
	out := o.does(append(args, "--json")...)
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		o.t.Fatalf("shop %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	for _, row := range rows {
		var got []string
		for name := range row {
			got = append(got, name)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != names {
			o.t.Errorf("shop %s: the names are %s; want %s", strings.Join(args, " "), got, names)
		}
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || list == nil {
		o.t.Fatalf("shop %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return list
}

type listedSession struct {
	Handle    string    `json:"handle"`
	UserID    *int64    `json:"user_id"`
	Email     *string   `json:"email"`
	CartID    *int64    `json:"cart_id"`
	CreatedAt time.Time `json:"created_at"`
	IdleUntil time.Time `json:"idle_until"`
	Until     time.Time `json:"until"`
	Expired   bool      `json:"expired"`
}

func (o operator) sessions(args ...string) []listedSession {
	o.t.Helper()
	return reads[listedSession](o, "cart_id created_at email expired handle idle_until until user_id",
		append([]string{"sessions", "list"}, args...)...)
}

// newest is the handle of the session that was made last.
func (o operator) newest() string {
	o.t.Helper()
	list := o.sessions()
	if len(list) == 0 {
		o.t.Fatal("there is no session")
	}
	return list[0].Handle
}

// openForHands opens a shop, and gives also who works on it by hand.
func openForHands(t *testing.T) (*process.Shop, operator, *pgxpool.Pool) {
	t.Helper()
	database := pgtest.URL(t)
	shop := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	return shop, operator{t, shop}, connect(t, database)
}

// wantRecord expects so many events of a kind by the operator about a user;
// nil stands for nobody.
func wantRecord(t *testing.T, db *pgxpool.Pool, kind string, email any, want int) {
	t.Helper()
	var n int
	err := db.QueryRow(t.Context(), `
		SELECT count(*) FROM session_events e LEFT JOIN users u ON u.id = e.user_id
		WHERE kind = $1 AND done_by = 'operator' AND u.email IS NOT DISTINCT FROM $2
			AND e.address = '' AND e.browser = '' AND abs(extract(epoch FROM now() - e.at)) < 600`, kind, email).Scan(&n)
	if err != nil || n != want {
		t.Errorf("%q by the operator is on record %d times for %v, %v; want %d", kind, n, email, err, want)
	}
}

func TestOperatorListsSessions(t *testing.T) {
	t.Parallel()
	shop, by, db := openForHands(t)
	if list := by.sessions(); len(list) != 0 {
		t.Errorf("in an empty coat room there are %v", list)
	}
	guest, alice, bob := visit(t, shop), visit(t, shop), visit(t, shop)
	guest.add("camel-overcoat")
	alice.signIn("alice")
	bob.signIn("bob")
	if _, err := db.Exec(t.Context(), `
		UPDATE sessions SET created_at = created_at - interval '1 day', idle_until = now() - interval '1 hour'
		WHERE user_id = (SELECT id FROM users WHERE email = 'alice@example.com')`); err != nil {
		t.Fatal(err)
	}

	list := by.sessions()
	if len(list) != 3 {
		t.Fatalf("there are %d sessions, want 3", len(list))
	}
	if b := list[0]; b.Email == nil || *b.Email != "bob@example.com" || b.UserID == nil || b.CartID == nil || b.Expired {
		t.Errorf("the newest is %+v, want Bob's", b)
	}
	if g := list[1]; g.Email != nil || g.UserID != nil || g.CartID == nil || g.Expired {
		t.Errorf("the second is %+v, want the guest's", g)
	}
	if a := list[2]; a.Email == nil || *a.Email != "alice@example.com" || !a.Expired || !a.IdleUntil.Before(a.Until) {
		t.Errorf("the oldest is %+v, want Alice's, expired", a)
	}
	if hers := by.sessions("--user", "ALICE@example.com"); len(hers) != 1 || hers[0].Handle != list[2].Handle {
		t.Errorf("Alice's are %+v", hers)
	}

	table := strings.Split(strings.TrimSpace(by.does("sessions", "list")), "\n")
	if len(table) != 4 || !strings.HasPrefix(table[0], "HANDLE") || strings.Count(table[0], "(UTC)") != 3 {
		t.Fatalf("the table is\n%s", strings.Join(table, "\n"))
	}
	for i, want := range []string{"bob@example.com", "guest", "alice@example.com"} {
		row, s := table[i+1], list[i]
		made := s.CreatedAt.UTC().Format("2006-01-02 15:04:05")
		if !strings.HasPrefix(row, s.Handle+"  "+want) || !strings.Contains(row, made) || strings.HasSuffix(row, "expired") != s.Expired {
			t.Errorf("the row is %q; want %s, %s, made at %s, expired: %v", row, s.Handle, want, made, s.Expired)
		}
	}
	wantNoTickets(t, db, strings.Join(table, "\n")+by.does("sessions", "list", "--json"), guest, alice, bob)
	by.fails(1, "no such user: mallory@example.com", "sessions", "list", "--user", "mallory@example.com")
	by.fails(1, "no such user", "sessions", "list", "--user=")
}

// wantNoTickets looks for IDs, and for the keys that are made of them.
func wantNoTickets(t *testing.T, db *pgxpool.Pool, out string, visitors ...*visitor) {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT unnest(ARRAY[encode(key, 'hex'), encode(key, 'base64')]) FROM sessions`)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(secrets) == 0 {
		t.Fatal(secrets, err)
	}
	for _, v := range visitors {
		secrets = append(secrets, v.ticket())
	}
	for _, secret := range secrets {
		if strings.Contains(out, secret[:16]) {
			t.Errorf("%q is in\n%s", secret, out)
		}
	}
}

// A name is anybody's to choose, and a terminal obeys some characters.
func TestOperatorsTerminalObeysNobodysName(t *testing.T) {
	t.Parallel()
	_, by, db := openForHands(t)
	if _, err := db.Exec(t.Context(), `UPDATE users SET name = E'\u009b2J\u202eecilA' WHERE email = 'alice@example.com'`); err != nil {
		t.Fatal(err)
	}
	if out := by.does("users", "list"); strings.ContainsAny(out, "\u009b\u202e") || !strings.Contains(out, "ecilA") {
		t.Errorf("the table is %q", out)
	}
}

func TestOperatorRevokesSessions(t *testing.T) {
	t.Parallel()
	shop, by, db := openForHands(t)
	desk, phone, bob, guest := visit(t, shop), visit(t, shop), visit(t, shop), visit(t, shop)
	desk.signIn("alice")
	phone.signIn("alice")
	phones := by.newest()
	bob.signIn("bob")
	bobs := by.newest()
	guest.add("camel-overcoat")

	by.fails(1, bobs, "sessions", "revoke", "--user", "alice@example.com", "--handle", bobs)
	by.fails(1, "no such user: mallory@example.com", "sessions", "revoke", "--user", "mallory@example.com")
	for _, wrong := range [][]string{
		{}, {"--json"}, {"--handle", phones}, {"--all", "--user", "alice@example.com"}, {"--all", "--handle", phones},
		{"--user="}, {"--user=", "--all"}, {"--user", "alice@example.com", "--handle="},
	} {
		by.fails(2, "bad setting: --", append([]string{"sessions", "revoke"}, wrong...)...)
	}
	if n := sessionCount(t, db); n != 4 {
		t.Errorf("what was refused has left %d sessions of 4", n)
	}

	// One of hers.
	if out := by.does("sessions", "revoke", "--user", "alice@example.com", "--handle", phones); out != "1 session ended\n" {
		t.Errorf("it says %q", out)
	}
	phone.get("/").is(t, "", "0")
	desk.get("/").is(t, "Alice", "0")
	wantRecord(t, db, "revoked", "alice@example.com", 1)

	// All of hers.
	phone.signIn("alice")
	if out := by.does("sessions", "revoke", "--user", "alice@example.com", "--json"); strings.Join(strings.Fields(out), "") != `{"ended":2}` {
		t.Errorf("it says %q", out)
	}
	phone.get("/").is(t, "", "0")
	desk.get("/").is(t, "", "0")
	bob.get("/").is(t, "Bob", "0")
	wantRecord(t, db, "revoked", "alice@example.com", 3)
	wantRecord(t, db, "everybody's sessions revoked", nil, 0)

	// Everybody's.
	if out := by.does("sessions", "revoke", "--all"); out != "2 sessions ended\n" {
		t.Errorf("it says %q", out)
	}
	bob.get("/").is(t, "", "0")
	guest.get("/").is(t, "", "0")
	wantRecord(t, db, "revoked", "bob@example.com", 1)
	wantRecord(t, db, "revoked", nil, 1)
	wantRecord(t, db, "everybody's sessions revoked", nil, 1)
}

func TestOperatorSweeps(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	db := connect(t, database)
	// No server runs, which would sweep as well.
	by := operator{t, process.New(t, "DATABASE_URL="+database)}
	if _, err := db.Exec(t.Context(), `
		WITH three AS (
			INSERT INTO sessions (key, handle, created_at, idle_until, until)
			SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), n::text, now() - interval '2 hours',
				now() + CASE n WHEN 1 THEN interval '-1 minute' ELSE interval '1 hour' END,
				now() + CASE n WHEN 2 THEN interval '-1 minute' ELSE interval '1 hour' END
			FROM generate_series(1, 3) n
		), failed AS (
			INSERT INTO sign_in_failures SELECT n || '@example.com', 'here', now() - n * interval '14 minutes', 1
			FROM generate_series(1, 4) n
		)
		INSERT INTO session_events (at, kind, session) SELECT now() - n * interval '25 days', 'made', n::text
		FROM generate_series(5, 1, -1) n`); err != nil {
		t.Fatal(err)
	}
	by.fails(2, "SHOP_RECORD_FOR", "sessions", "sweep", "--record-for=0s")
	// Sweeping has put two ends on record by the time that this is trimmed.
	out := strings.Join(strings.Fields(by.does("sessions", "sweep")), " ")
	if out != "sessions 2 removed failed sign-ins 3 removed old records 2 removed" {
		t.Errorf("it says %q", out)
	}
	by.does("sessions", "sweep", "--record-for=960h")
	var left, failures, oldest int
	if err := db.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM sessions WHERE handle = '3'), (SELECT count(*) FROM sign_in_failures),
			(SELECT extract(day FROM now() - min(at)) FROM session_events)`).Scan(&left, &failures, &oldest); err != nil {
		t.Fatal(err)
	}
	if left != 1 || sessionCount(t, db) != 1 || failures != 1 || oldest != 25 {
		t.Errorf("left: %d live sessions, %d counts, a record of %d days; want 1, 1 and 25", left, failures, oldest)
	}
}

type listedUser struct {
	ID        int64     `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
	Disabled  bool      `json:"disabled"`
}

func (o operator) users(args ...string) []listedUser {
	o.t.Helper()
	return reads[listedUser](o, "created_at disabled email id name role", append([]string{"users", "list"}, args...)...)
}

func TestOperatorListsUsers(t *testing.T) {
	t.Parallel()
	_, by, _ := openForHands(t)
	by.does("users", "disable", "bob@example.com")
	var names []string
	for _, u := range by.users() {
		names = append(names, u.Name+" "+u.Role)
		if u.Disabled != (u.Name == "Bob") || u.ID == 0 || time.Since(u.CreatedAt) > time.Hour {
			t.Errorf("listed is %+v", u)
		}
	}
	if got := strings.Join(names, ", "); got != "Admin administrator, Alice customer, Bob customer" {
		t.Errorf("the users are %s", got)
	}
	if found := by.users("--search", "ALI"); len(found) != 1 || found[0].Email != "alice@example.com" {
		t.Errorf("searching finds %+v", found)
	}
	if found := by.users("--search", "nobody"); len(found) != 0 {
		t.Errorf("searching for nobody finds %+v", found)
	}
	table := strings.Split(strings.TrimSpace(by.does("users", "list")), "\n")
	if len(table) != 4 || !strings.HasPrefix(table[0], "ID  E-MAIL") || !strings.Contains(table[2], "alice@example.com  Alice  customer") {
		t.Errorf("the table is\n%s", strings.Join(table, "\n"))
	}
	for _, row := range table {
		if strings.HasSuffix(row, "disabled") != strings.Contains(row, "bob@example.com") {
			t.Errorf("the row is %q", row)
		}
	}
}

const carolsPassword = "seven umbrellas dry"

// addCarol opens an account with a password from standard input.
func (o operator) addCarol(input string, args ...string) process.Result {
	o.t.Helper()
	result := o.shop.Operate(input, append([]string{"users", "add", "carol@example.com", "--name", "Carol"}, args...)...)
	if secret := strings.TrimSpace(input); secret != "" && strings.Contains(result.Out+result.Err, secret) {
		o.t.Errorf("the password is in what it says: %s%s", result.Out, result.Err)
	}
	return result
}

func TestOperatorAddsUsers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, input, role string }{
		{"customer", carolsPassword + "\n", "customer"},
		{"administrator", carolsPassword, "administrator"},
		{"from Windows", carolsPassword + "\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shop, by, db := openForHands(t)
			var args []string
			if c.role != "" {
				args = append(args, "--role", c.role)
			}
			if result := by.addCarol(c.input, args...); result.Code != 0 || result.Err != "" || !strings.Contains(result.Out, "carol@example.com has an account") {
				t.Fatalf("code %d: %s%s", result.Code, result.Err, result.Out)
			}
			carol := visit(t, shop)
			carol.post("/login", "email", "carol@example.com", "password", carolsPassword).is(t, "Carol", "0")
			status, recorded := http.StatusNotFound, 0
			if c.role == "administrator" {
				status, recorded = http.StatusOK, 1
			}
			if p := carol.get("/admin"); p.status != status {
				t.Errorf("/admin: %d, want %d", p.status, status)
			}
			wantRecord(t, db, "role changed", "carol@example.com", recorded)
		})
	}
}

func TestOperatorIsToldWhyNoUserIsAdded(t *testing.T) {
	t.Parallel()
	shop, by, db := openForHands(t)
	alices := shop.Operate(carolsPassword, "users", "add", "Alice@example.com", "--name", "Mallory", "--role", "administrator")
	if alices.Code != 1 || !strings.Contains(alices.Err, "Alice@example.com") || !strings.Contains(alices.Err, "has an account already") {
		t.Errorf("an e-mail that has an account: code %d: %s", alices.Code, alices.Err)
	}
	visit(t, shop).signIn("alice").is(t, "Alice", "0")

	odd := shop.Operate("short", "users", "add", "carol", "--name", " ")
	for _, field := range []string{"\n  name: ", "\n  e-mail: ", "\n  password: "} {
		if odd.Code != 1 || strings.Count(odd.Err, field) != 1 {
			t.Errorf("code %d, want 1 and a line for %q:\n%s", odd.Code, field, odd.Err)
		}
	}
	for _, input := range []string{"", "\n", "password1\n", "two lines\nof a password\n", "two lines\rof a password", "no\xfftext but long", "no\x00text but long"} {
		if result := by.addCarol(input); result.Code != 1 || !strings.Contains(result.Err, "password") && !strings.Contains(result.Err, "line") {
			t.Errorf("%q: code %d: %s", input, result.Code, result.Err)
		}
	}

	// A password is no argument, and refusing it does not repeat it.
	for _, args := range [][]string{
		{"--password", "hunter2hunter2"}, {"--password=hunter2hunter2"}, {"hunter2hunter2"}, {"hunter2", "hunter2"},
	} {
		result := by.addCarol(carolsPassword, args...)
		if result.Code != 2 || strings.Contains(result.Err+result.Out, "hunter2") || !strings.Contains(result.Err, "standard input") {
			t.Errorf("%q: code %d: %s", args, result.Code, result.Err)
		}
	}
	by.fails(2, "--name", "users", "add", "carol@example.com")
	by.fails(2, "customer", "users", "add", "carol@example.com", "--name", "Carol", "--role", "boss")
	var users int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM users`).Scan(&users); err != nil || users != 3 {
		t.Errorf("there are %d users, %v; want the 3 of the demonstration", users, err)
	}
}

func TestOperatorsPepperIsTheShops(t *testing.T) {
	t.Parallel()
	pepper := filepath.Join(t.TempDir(), "pepper")
	if err := os.WriteFile(pepper, []byte("ground black"), 0o600); err != nil {
		t.Fatal(err)
	}
	shop := process.Open(t, "DATABASE_URL="+pgtest.URL(t), "SHOP_PEPPER_FILE="+pepper)
	if result := (operator{t, shop}).addCarol(carolsPassword); result.Code != 0 {
		t.Fatal(result.Err)
	}
	visit(t, shop).post("/login", "email", "carol@example.com", "password", carolsPassword).is(t, "Carol", "0")
}

// ASVS 7.4.2: three live cookies are dead at once.
func TestOperatorDisablesAndEnables(t *testing.T) {
	t.Parallel()
	shop, by, db := openForHands(t)
	devices := []*visitor{visit(t, shop), visit(t, shop), visit(t, shop)}
	for _, alice := range devices {
		alice.signIn("alice")
	}
	bob := visit(t, shop)
	bob.signIn("bob")

	if out := by.does("users", "disable", "alice@example.com"); out != "alice@example.com is disabled; 3 sessions ended\n" {
		t.Errorf("it says %q", out)
	}
	for _, alice := range devices {
		alice.get("/").is(t, "", "0")
	}
	bob.get("/").is(t, "Bob", "0")
	if p := devices[0].signIn("alice"); p.status != http.StatusUnprocessableEntity || p.name() != "" {
		t.Errorf("a disabled user signs in: %d as %q", p.status, p.name())
	}
	wantRecord(t, db, "account disabled", "alice@example.com", 1)
	wantRecord(t, db, "revoked", "alice@example.com", 3)

	if out := by.does("users", "enable", "alice@example.com"); out != "alice@example.com is enabled\n" {
		t.Errorf("it says %q", out)
	}
	devices[0].signIn("alice").is(t, "Alice", "0")
	devices[1].get("/").is(t, "", "0") // what was dead stays dead
	wantRecord(t, db, "account enabled", "alice@example.com", 1)

	for _, command := range []string{"disable", "enable"} {
		by.fails(1, "no such user: mallory@example.com", "users", command, "mallory@example.com")
	}
	by.fails(1, "no such user: mallory@example.com", "users", "role", "mallory@example.com", "administrator")
}

// ASVS 8.3.2: a changed role counts at the next request.
func TestOperatorChangesRoles(t *testing.T) {
	t.Parallel()
	shop, by, db := openForHands(t)
	alice := visit(t, shop)
	alice.signIn("alice")
	opens := func(want int) {
		t.Helper()
		if p := alice.get("/admin"); p.status != want {
			t.Errorf("/admin: %d, want %d", p.status, want)
		}
	}
	opens(http.StatusNotFound)
	by.does("users", "role", "alice@example.com", "administrator")
	opens(http.StatusOK)
	if out := by.does("users", "role", "alice@example.com", "customer"); out != "alice@example.com is customer now, and was administrator\n" {
		t.Errorf("it says %q", out)
	}
	opens(http.StatusNotFound)
	alice.get("/").is(t, "Alice", "0")
	wantRecord(t, db, "role changed", "alice@example.com", 2)
	by.fails(2, "administrator", "users", "role", "alice@example.com", "boss")
}

func TestOperatorsToolsLeaveTheSchemaAlone(t *testing.T) {
	t.Parallel()
	by := operator{t, process.New(t, "DATABASE_URL="+pgtest.EmptyURL(t))}
	for _, args := range [][]string{{"sessions", "list"}, {"sessions", "sweep"}, {"users", "list"}} {
		by.fails(1, "shop migrate up", args...)
	}
}

// Beside a shop with a Postgres of its own the tools use that one; without
// the shop they start it, and leave nothing running.
func TestOperatorOnTheShopsOwnPostgres(t *testing.T) {
	t.Parallel()
	for _, user := range users() {
		t.Run(user.name, func(t *testing.T) {
			t.Parallel()
			dir := user.newDir(t)
			shop := user.shop(t, filepath.Dir(dir), "SHOP_DATA_DIR="+dir)
			run := func(input string, beside bool, args ...string) string {
				t.Helper()
				result := shop.Operate(input, args...)
				if result.Code != 0 || strings.Contains(result.Err, "starting Postgres") == beside {
					t.Fatalf("shop %s: code %d:\n%s", strings.Join(args, " "), result.Code, result.Err)
				}
				return result.Out
			}

			shop.Start()
			alice := visit(t, shop)
			alice.signIn("alice")
			if out := run("", true, "sessions", "list"); !strings.Contains(out, "alice@example.com") {
				t.Errorf("the sessions are\n%s", out)
			}
			run("", true, "sessions", "revoke", "--user", "alice@example.com")
			alice.get("/").is(t, "", "0")
			run(carolsPassword, true, "users", "add", "carol@example.com", "--name", "Carol")
			visit(t, shop).post("/login", "email", "carol@example.com", "password", carolsPassword).is(t, "Carol", "0")
			run("", true, "seed")
			run("", true, "migrate", "status")

			shop.Stop()
			if out := run("", false, "users", "list"); !strings.Contains(out, "carol@example.com") {
				t.Errorf("the users are\n%s", out)
			}
			if left := postgresOn(dir); left != "" {
				t.Errorf("the command is done, and there is still\n%s", left)
			}
		})
	}
}
