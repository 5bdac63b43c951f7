package xray_test

import (
	"encoding/xml"
	"fmt"
	"html"
	"html/template"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/xray"
)

// hostile puts markup into every text that v has, each with its own number.
func hostile(v reflect.Value, number *int) {
	switch v.Kind() {
	case reflect.String:
		*number++
		v.SetString(fmt.Sprintf(`<script>"'&amp;%d.</script>`, *number))
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		hostile(v.Elem(), number)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			hostile(v.Index(i), number)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			hostile(v.Field(i), number)
		}
	}
}

// wantText expects HTML that is whole, and has no markup but the X-ray's own.
func wantText(t *testing.T, written template.HTML) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader("<all>" + string(written) + "</all>"))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("it is broken: %v\n%s", err, written)
		}
		start, isTag := token.(xml.StartElement)
		if isTag && start.Name.Local == "script" {
			t.Fatalf("a text became markup:\n%s", written)
		}
		if text, isText := token.(xml.CharData); isText && (strings.Contains(string(text), "&#") || strings.Contains(string(text), "=\"")) {
			t.Fatalf("markup became a text: %s", text)
		}
	}
}

func TestTextStaysTextOnAPanel(t *testing.T) {
	t.Parallel()
	for _, change := range []xray.Change{xray.Unchanged, xray.Began, xray.Moved, xray.Touched, xray.Ended} {
		for _, bare := range []bool{false, true} {
			e, number := &xray.Exchange{}, 0
			hostile(reflect.ValueOf(e).Elem(), &number)
			e.Change = change
			if bare {
				e.Found, e.Led, e.Cookies, e.Room = nil, nil, nil, nil
			}
			p := xray.NewPanel(e, time.Now())
			wantText(t, p.HTML())
			wantText(t, xray.Exchanges{e}.HTML())
			if bare {
				continue
			}
			for _, shown := range []string{e.Method, e.Path, e.Ticket.Start, e.Room[1].Call, e.Room[1].Outcome, e.Room[1].Statements[1].Text, e.Found.Handle, e.Cookies[0].Line} {
				wantIn(t, string(p.HTML()), html.EscapeString(shown))
			}
		}
	}
}

// What the panel says is what the exchange holds.
func TestPanelShowsTheExchange(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{CartID: 5})
	old, oldRow := v.id, v.row()
	s.clock.turn(2 * time.Minute)
	a := v.must(signIn(sessions.Refs{UserID: 1, CartID: 5}))
	written := html.UnescapeString(string(xray.NewPanel(a.Exchange, s.clock.Now()).HTML()))
	wantIn(t, written,
		"GET /", ">"+old[:6]+"…<", "Set-Cookie: session="+v.id[:6]+"…; Path=/; HttpOnly; SameSite=Lax", "HttpOnly", "SameSite=Lax",
		"The session: load", "The session: touch", "The session: move", "The session: delete oldest", "SELECT s.handle, coalesce(s.user_id, 0)",
		"<td><code>"+oldRow.Handle+"</code></td><td><code>"+v.row().Handle+"</code></td>", "<td><code>–</code></td><td><code>1</code></td>", "84 bytes",
		"4 May 09:31:00.123", "4 May 09:33:00.123", "31 min left of 31 min", "12 h left of 12 h")
	if strings.Contains(written, "The shop<") {
		t.Error("a statement of the session is said to be the shop's")
	}
}
