package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

// certify makes a certificate for localhost that signs itself, and gives its
// files and who trusts it.
func certify(t *testing.T) (cert, key string, trust *x509.CertPool) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"localhost"},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	secretDER, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, key = write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secretDER)
	trust = x509.NewCertPool()
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trust.AddCert(made)
	return cert, key, trust
}

func TestShopOverTLS(t *testing.T) {
	t.Parallel()
	cert, key, trust := certify(t)
	redirect := process.FreeAddr(t)
	settings := []string{"DATABASE_URL=" + pgtest.URL(t), "SHOP_DEMO=true",
		"SHOP_TLS_CERT=" + cert, "SHOP_TLS_KEY=" + key, "SHOP_REDIRECT_ADDR=" + redirect}
	shop := process.Open(t, settings...)
	_, port, _ := net.SplitHostPort(shop.Addr)
	https := "https://localhost:" + port
	if !strings.Contains(shop.Output(), "open at "+https) {
		t.Errorf("the shop does not say that it is at %s:\n%s", https, shop.Output())
	}

	jar, _ := cookiejar.New(nil) // has no error to return
	client := &http.Client{Jar: jar, CheckRedirect: stay, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true}}
	v := &visitor{t, https, client}

	for _, protocol := range []struct {
		transport *http.Transport
		major     int
	}{
		{&http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true}, 2},
		{&http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}, 1},
	} {
		response, err := (&http.Client{Transport: protocol.transport}).Get(https + "/")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.ProtoMajor != protocol.major || response.StatusCode != http.StatusOK {
			t.Errorf("GET /: %s %s, want HTTP/%d", response.Proto, response.Status, protocol.major)
		}
		if hsts := response.Header.Get("Strict-Transport-Security"); !strings.Contains(hsts, "max-age=31536000") {
			t.Errorf("HSTS is %q, want a year", hsts)
		}
	}

	t.Run("the ticket is for https alone", func(t *testing.T) {
		p := v.post("/login", "email", "alice@example.com", "password", "coat-check-alice")
		set := strings.Join(p.header.Values("Set-Cookie"), "\n")
		if p.status != http.StatusSeeOther || !strings.Contains(set, "__Host-session=") || strings.Count(set, "; Secure") != 2 {
			t.Errorf("the sign-in answers %d and sets\n%s", p.status, set)
		}
		if p := v.get("/"); !strings.Contains(p.body, ">Alice<") {
			t.Error("the next page does not know Alice")
		}
		_, id, _ := strings.Cut(set, "__Host-session=")
		id, _, _ = strings.Cut(id, ";")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, https+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "session="+id) // the name that plain http could have set
		if p := v.read((&http.Client{Transport: client.Transport}).Do(r)); p.status != http.StatusOK || strings.Contains(p.body, "account-name") {
			t.Errorf("a cookie that plain http could have planted opens a session, or breaks the page: %d", p.status)
		}
	})

	t.Run("plain http only redirects", func(t *testing.T) {
		plain := &http.Client{CheckRedirect: stay}
		_, plainPort, _ := net.SplitHostPort(redirect)
		for _, c := range []struct{ method, path string }{
			{http.MethodGet, "/"}, {http.MethodGet, "/cart?a=b%20c"}, {http.MethodPost, "/login"},
			{http.MethodGet, "//evil.example/"}, {http.MethodGet, "/a%2Fb"}, {http.MethodDelete, "/none"},
		} {
			r, err := http.NewRequestWithContext(t.Context(), c.method, "http://localhost:"+plainPort+c.path, strings.NewReader("email=a"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Cookie", "session=x")
			response, err := plain.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if to := response.Header.Get("Location"); response.StatusCode != http.StatusPermanentRedirect || to != https+c.path {
				t.Errorf("%s %s: %s to %q, want 308 to %s%s", c.method, c.path, response.Status, to, https, c.path)
			}
			if set := response.Header.Values("Set-Cookie"); set != nil {
				t.Errorf("%s %s sets %q", c.method, c.path, set)
			}
		}
		for _, head := range []string{"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost: user@evil.example\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"} {
			if line := raw(t, redirect, head); !strings.Contains(line, " 400 ") {
				t.Errorf("%q is answered with %q, want 400", head, line)
			}
		}
	})

	if code, out := process.Run(t, append(settings, "SHOP_ADDR="+shop.Addr), "healthcheck"); code != 0 {
		t.Errorf("healthcheck: code %d\n%s", code, out)
	}
	if code, _ := process.Run(t, []string{"SHOP_ADDR=" + shop.Addr}, "healthcheck"); code == 0 {
		t.Error("healthcheck takes plain http for the shop")
	}
	shop.Stop()
	if _, err := net.Dial("tcp", redirect); err == nil {
		t.Error("the redirecting listener has outlived the shop")
	}
}

// raw sends bytes and gives the first line of the answer.
func raw(t *testing.T, addr, head string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, head)
	answer, err := io.ReadAll(io.LimitReader(c, 4096))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(answer), "\r\n")
	return line
}

// With a public URL the redirect leads there, whatever host was asked for.
func TestRedirectLeadsToThePublicURL(t *testing.T) {
	t.Parallel()
	cert, key, _ := certify(t)
	redirect := process.FreeAddr(t)
	process.Open(t, "DATABASE_URL="+pgtest.URL(t), "SHOP_TLS_CERT="+cert, "SHOP_TLS_KEY="+key,
		"SHOP_REDIRECT_ADDR="+redirect, "SHOP_PUBLIC_URL=https://shop.example")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+redirect+"/cart", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	response, err := (&http.Client{CheckRedirect: stay}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if to := response.Header.Get("Location"); to != "https://shop.example/cart" {
		t.Errorf("the redirect leads to %q", to)
	}
}
