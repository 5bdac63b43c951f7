package story

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Curl writes a story as lines that can be pasted into a shell, one by one or
// all at once, against one server or two that are open. Tickets stay in files,
// a jar of cookies for each actor. Passwords are written out: they are those of
// a demonstration, which everybody knows.
func Curl(s *Story, servers []string) string {
	if len(servers) == 0 {
		servers = []string{"http://localhost:8080"}
	}
	c := &curl{server: servers[0]}
	c.printf("setopt interactivecomments 2>/dev/null || true # zsh takes comments only when told to\n\n")
	c.comment(s.Title + ", for a shell with curl. The lines can be pasted one by one.")
	c.printf("cd \"$(mktemp -d)\" # the cookies are kept here\n")
	c.printf("first=%s\nsecond=%s\n", quote(servers[0]), quote(servers[len(servers)-1]))
	if len(servers) == 1 {
		c.comment("There is only one server here, so the second is the first. For two servers on one database: shop story --curl --url URL --url URL")
	}
	c.comment("What there is to see of an answer: its status, where it leads, its cookies; whom the page greets, and how many pieces it counts in the cart.")
	c.printf("see() { grep -iE '^(HTTP|location|set-cookie)' head.txt; grep -oE 'id=\"(account-name|cart-count)\"[^>]*>[^<]*' page.html || true; }\n")
	for i, step := range s.Steps {
		c.printf("\n")
		c.comment(fmt.Sprintf("%d. %s. %s", i+1, step.Title, step.Why))
		switch {
		case step.Restart:
			c.comment("This cannot be done from outside. Stop the shop and start it again, if it is yours; the story goes on either way.")
		case step.Carry != nil:
			c.carry(step)
		default:
			c.ask(step)
		}
	}
	return c.text.String()
}

type curl struct {
	text   strings.Builder
	server string
}

func (c *curl) printf(format string, args ...any) { fmt.Fprintf(&c.text, format, args...) }

// comment breaks a text into lines of comment.
func (c *curl) comment(text string) {
	for _, line := range Wrap(text, 78) {
		c.printf("# %s\n", line)
	}
}

// Wrap breaks a text into lines.
func Wrap(text string, width int) (lines []string) {
	for word := range strings.FieldsSeq(text) {
		last := len(lines) - 1
		if last < 0 || utf8.RuneCountInString(lines[last]+" "+word) > width {
			lines = append(lines, word)
			continue
		}
		lines[last] += " " + word
	}
	return lines
}

func jar(actor string) string { return strings.ToLower(actor) + ".jar" }

func (c *curl) carry(step Step) {
	if step.Carry.From != "" {
		c.printf("grep session %s > %s\n", jar(step.Carry.From), jar(step.Who))
		return
	}
	// A line of a jar: host, its subdomains too, path, https alone, when it
	// ends, name, value.
	name, secure, host := "session", "FALSE", ""
	if u, err := url.Parse(c.server); err == nil {
		host = u.Hostname()
		if u.Scheme == "https" {
			name, secure = "__Host-session", "TRUE"
		}
	}
	c.printf("printf '%%s\\tFALSE\\t/\\t%s\\t0\\t%s\\t%%s\\n' %s %s > %s\n", secure, name, quote(host), quote(step.Carry.Ticket), jar(step.Who))
}

func (c *curl) ask(step Step) {
	at := `"$first`
	if step.Ask.Server == Second {
		at = `"$second`
	}
	at += step.Ask.Path + `"`
	if step.Ask.Path == "" {
		c.printf("next=$(tr -d '\\r' < head.txt | sed -n 's/^[Ll]ocation: //p')\n")
		at = strings.TrimSuffix(at, `"`) + `$next"`
	}
	var form []string
	for _, f := range step.Ask.Form {
		value := quote(f.Name + "=" + f.Value)
		if f.Hidden {
			c.printf("%s=$(sed -n 's/.*name=\"%s\" value=\"\\([^\"]*\\)\".*/\\1/p' page.html)\n", f.Name, f.Name)
			value = `"` + f.Name + `=$` + f.Name + `"`
		}
		form = append(form, "--data-urlencode "+value)
	}
	if step.Ask.Method == "POST" && len(form) == 0 {
		form = []string{"-X POST"}
	}
	cookies := fmt.Sprintf("-b %s -c %s", jar(step.Who), jar(step.Who))
	if step.Ask.Site != "" { // a browser would leave the ticket at home
		cookies = "-H " + quote("Origin: "+step.Ask.Site) + " -H 'Sec-Fetch-Site: cross-site'"
	}
	parts := append([]string{"curl -sS", cookies, "-D head.txt -o page.html"}, form...)
	c.printf("%s %s; see\n", strings.Join(parts, " "), at)
}

// quote makes one word of a shell's of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
