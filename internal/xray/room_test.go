package xray_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/xray"

	"github.com/jackc/pgx/v5"
)

const three, none = `SELECT generate_series(1, 3)`, `UPDATE users SET name = name WHERE false`

func TestStatementsOfTheShopAreListedInOrder(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	a := s.arrives(sessions.Refs{CartID: 1}).must(ask(three, none))
	s.wantHeard(a)
	if want := []string{"load", "shop", "shop"}; !slices.Equal(a.calls(), want) {
		t.Fatalf("asked was for %q, want %q", a.calls(), want)
	}
	for i, want := range []xray.Statement{{Text: three, Rows: 3}, {Text: none, Rows: 0}} {
		if got := a.Room[i+1].Statements; !slices.Equal(got, []xray.Statement{want}) {
			t.Errorf("listed is %v, want %v", got, want)
		}
	}
}

func TestBatchIsOneRoundTripWithItsStatements(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	a := s.visitor().must(func(s *shop, _ http.ResponseWriter, r *http.Request) error {
		b := &pgx.Batch{}
		b.Queue(three)
		b.Queue(none)
		b.Queue(`SELECT $1::bigint`, 77)
		return s.db.SendBatch(r.Context(), b).Close()
	})
	s.wantHeard(a)
	want := []xray.Statement{{Text: three, Rows: 3}, {Text: none, Rows: 0}, {Text: `SELECT $1::bigint`, Rows: 1}}
	if len(a.Room) != 1 || a.Room[0].Call != "" || !slices.Equal(a.Room[0].Statements, want) {
		t.Errorf("listed is %v, want one round trip with %v", a.Room, want)
	}
}

func TestTransactionIsListedWithItsBeginAndItsEnd(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	a := s.visitor().must(func(s *shop, _ http.ResponseWriter, r *http.Request) error {
		return pgx.BeginFunc(r.Context(), s.db, func(tx pgx.Tx) error {
			_, err := tx.Exec(r.Context(), three)
			return err
		})
	})
	s.wantHeard(a)
	if len(a.Room) != 3 || a.Room[0].Statements[0].Text != "begin" || a.Room[2].Statements[0].Text != "commit" {
		t.Errorf("listed is %v", a.Room)
	}
}

func TestStatementThatFailsIsListedAsFailed(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	a := s.visitor().does(ask(three, `SELECT 1/0`))
	s.wantHeard(a)
	if want := []string{"shop", "shop, failed"}; !slices.Equal(a.calls(), want) || a.Status != http.StatusInternalServerError {
		t.Errorf("asked was for %q with status %d, want %q", a.calls(), a.Status, want)
	}
}

// A store in memory sends nothing that could be heard.
func TestCallOnAStoreThatSendsNothingIsListed(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := openShopOn(t, db, pgstore.New(db), &ears{}, false)
	v := s.arrives(sessions.Refs{CartID: 1})
	a := v.must(signOut)
	if want := []string{"load", "delete"}; !slices.Equal(a.calls(), want) || a.Room[0].Took <= 0 || a.Room[1].Statements != nil {
		t.Errorf("listed is %v, want the calls %q", a.Room, want)
	}
}

// A store that is down is no store that found nothing: the X-ray says that
// nobody knows what the ticket is worth.
func TestStoreThatIsDownIsTold(t *testing.T) {
	t.Parallel()
	for what, breakIt := range map[string]func(*shop){
		"the table is gone":  func(s *shop) { s.exec(`ALTER TABLE sessions RENAME TO elsewhere`) },
		"the pool is closed": func(s *shop) { s.db.Close() },
	} {
		s := openShop(t)
		v := s.arrives(sessions.Refs{UserID: 1})
		breakIt(s)
		a := v.does(look)
		panel := xray.NewPanel(a.Exchange, s.clock.Now())
		if !slices.Equal(a.calls(), []string{"load, failed"}) || a.Status != http.StatusServiceUnavailable || a.Ticket.State != "" || a.After != nil {
			t.Errorf("%s: asked was for %q, status %d, ticket %q, after %v", what, a.calls(), a.Status, a.Ticket.State, a.After)
		}
		const summary, carried, nothing = "the coat room could not be asked", "so nobody knows", "signs nobody out"
		wantIn(t, panel.Summary(), v.id[:6], summary)
		wantIn(t, panel.Carried(), carried)
		wantIn(t, panel.Nothing(), nothing)
	}
}

// A request may be refused before the session is looked at, and then the coat
// room is not to blame.
func TestRequestThatIsTurnedAwayIsNotLookedAt(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	for cookie, says := range map[string]string{"session=" + v.id: "ticket " + v.id[:6] + "… · not looked at", "": "no ticket · not looked at"} {
		r := s.request(http.MethodPost, "/", cookie)
		r.Header.Set(xray.Header, "please")
		w := httptest.NewRecorder()
		s.Recorder.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
		})).ServeHTTP(w, r)
		e, err := xray.Decode(w.Header())
		if err != nil || e == nil || e.Status != http.StatusForbidden || e.After != nil {
			t.Fatalf("%+v, %v", e, err)
		}
		panel := xray.NewPanel(e, s.clock.Now())
		wantIn(t, panel.Summary(), says)
		for _, text := range []string{panel.Summary(), panel.Carried(), panel.Nothing()} {
			if strings.Contains(text, "could not be asked") || strings.Contains(text, "cannot be asked") {
				t.Errorf("it says %q", text)
			}
		}
	}
}

// Nobody listens to what no request asks for, such as the sweeper.
func TestTracerHearsNothingWithoutARecording(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.exec(three)
	b := &pgx.Batch{}
	b.Queue(three)
	if err := s.db.SendBatch(t.Context(), b).Close(); err != nil {
		t.Error(err)
	}
	if a := s.visitor().must(look); len(a.Room) != 0 {
		t.Errorf("listed is %v, want nothing", a.Room)
	}
}
