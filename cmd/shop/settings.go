package main

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"coatcheck/internal/sessions"
)

// settings is all that can be set, each as a flag or in the environment.
type settings struct {
	database
	sessionStore

	Addr            string        `env:"SHOP_ADDR" default:"127.0.0.1:8080" help:"Address to listen on."`
	Demo            *bool         `env:"SHOP_DEMO" negatable:"" help:"Make the demo accounts and name them on the sign-in page. On with the embedded Postgres, off otherwise."`
	SessionIdle     time.Duration `env:"SHOP_SESSION_IDLE" default:"30m" help:"How long a session lasts without requests."`
	SessionLifetime time.Duration `env:"SHOP_SESSION_LIFETIME" default:"12h" help:"How long a session lasts at most."`
	KeepIdle        time.Duration `env:"SHOP_KEEP_IDLE" default:"336h" help:"The same as --session-idle, of those who ask to stay signed in."`
	KeepLifetime    time.Duration `env:"SHOP_KEEP_LIFETIME" default:"720h" help:"The same as --session-lifetime, of those who ask to stay signed in."`
	Patience        time.Duration `env:"SHOP_PATIENCE" default:"1400ms" help:"How long a page may take before the visitor is told to come again. A server that keeps the sessions has a quarter of it for each answer."`
	RecordFor       time.Duration `env:"SHOP_RECORD_FOR" default:"2160h" help:"How long what happened to sessions is on record."`
	TLSCert         string        `name:"tls-cert" env:"SHOP_TLS_CERT" type:"path" help:"File with the certificate, and those that lead to a known one (PEM). With it the shop speaks HTTPS."`
	TLSKey          string        `name:"tls-key" env:"SHOP_TLS_KEY" type:"path" help:"File with the certificate's key (PEM)."`
	RedirectAddr    string        `env:"SHOP_REDIRECT_ADDR" help:"Address to listen on for plain http, to send browsers on to https."`
	MetricsAddr     string        `env:"SHOP_METRICS_ADDR" help:"Address to listen on for Prometheus; empty: no metrics."`
	PublicURL       string        `env:"SHOP_PUBLIC_URL" help:"The shop's address as browsers see it, behind a proxy. With https:// cookies are Secure."`
	TrustedProxies  []string      `env:"SHOP_TRUSTED_PROXIES" help:"Networks (CIDR) of the proxies whose X-Forwarded-For counts."`
	LoginRate       int           `env:"SHOP_LOGIN_RATE" default:"10" help:"Failed sign-ins allowed for each account and address in 15 minutes."`
	SignUpRate      int           `name:"signup-rate" env:"SHOP_SIGNUP_RATE" default:"600" help:"Sign-ups allowed for each address in an hour."`
	CartRate        int           `env:"SHOP_CART_RATE" default:"6000" help:"Changes of carts allowed for each address in a minute."`
	Drain           time.Duration `env:"SHOP_DRAIN" default:"0s" help:"How long the shop goes on serving when it is asked to close, while /readyz asks the load balancer to send nobody more."`
	PepperFile      string        `env:"SHOP_PEPPER_FILE" type:"path" help:"File with a secret that is mixed into every password. Changing it voids all passwords."`
}

// check reports the first setting that is wrong, by name and value.
func (s *settings) check() error {
	if err := checkAddress(addrSetting, s.Addr); err != nil {
		return err
	}
	if err := s.checkStore(); err != nil {
		return err
	}
	if err := s.policy().Check(); err != nil {
		return settingError("--session-idle, --session-lifetime (SHOP_SESSION_IDLE, SHOP_SESSION_LIFETIME)", "%w", err)
	}
	if err := s.kept().CheckKept(s.policy()); err != nil {
		return settingError("--keep-idle, --keep-lifetime (SHOP_KEEP_IDLE, SHOP_KEEP_LIFETIME)", "%w", err)
	}
	if s.Patience <= 0 {
		return settingError("--patience (SHOP_PATIENCE)", "%v; it must be longer than 0", s.Patience)
	}
	if s.RecordFor <= 0 {
		return settingError("--record-for (SHOP_RECORD_FOR)", "%v; it must be longer than 0", s.RecordFor)
	}
	for _, rate := range []struct {
		setting string
		value   int
	}{
		{"--login-rate (SHOP_LOGIN_RATE)", s.LoginRate},
		{"--signup-rate (SHOP_SIGNUP_RATE)", s.SignUpRate},
		{"--cart-rate (SHOP_CART_RATE)", s.CartRate},
	} {
		if rate.value < 1 {
			return settingError(rate.setting, "%d; it must be at least 1", rate.value)
		}
	}
	if s.Drain < 0 {
		return settingError("--drain (SHOP_DRAIN)", "%v; it must not be negative", s.Drain)
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return settingError("--tls-cert, --tls-key (SHOP_TLS_CERT, SHOP_TLS_KEY)", "there is %q and %q; it must be both or neither", s.TLSCert, s.TLSKey)
	}
	if s.RedirectAddr != "" {
		if s.TLSCert == "" {
			return settingError(redirectSetting, "%q; there is no https to send anybody to without --tls-cert", s.RedirectAddr)
		}
		if err := checkAddress(redirectSetting, s.RedirectAddr); err != nil {
			return err
		}
	}
	if s.MetricsAddr != "" {
		if err := checkAddress(metricsSetting, s.MetricsAddr); err != nil {
			return err
		}
	}
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return settingError("--public-url (SHOP_PUBLIC_URL)", "%q; it must be like https://shop.example", s.PublicURL)
		}
		if s.TLSCert != "" && u.Scheme != "https" {
			return settingError("--public-url (SHOP_PUBLIC_URL)", "%q; with --tls-cert it must begin with https://", s.PublicURL)
		}
		s.PublicURL = u.Scheme + "://" + u.Host
	}
	for i, cidr := range s.TrustedProxies {
		s.TrustedProxies[i] = strings.TrimSpace(cidr)
		if _, err := netip.ParsePrefix(s.TrustedProxies[i]); err != nil {
			return settingError("--trusted-proxies (SHOP_TRUSTED_PROXIES)", "%q; it must be networks like 10.0.0.0/8, separated by commas", cidr)
		}
	}
	return nil
}

const (
	addrSetting     = "--addr (SHOP_ADDR)"
	redirectSetting = "--redirect-addr (SHOP_REDIRECT_ADDR)"
	metricsSetting  = "--metrics-addr (SHOP_METRICS_ADDR)"
)

// checkAddress wants a port: to the system an empty address is any port on
// every network.
func checkAddress(setting, addr string) error {
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
		return settingError(setting, "%q; it must be like 127.0.0.1:8080", addr)
	}
	return nil
}

// kept is the policy of those who ask to stay signed in.
func (s *settings) kept() sessions.Policy {
	return sessions.Policy{Idle: s.KeepIdle, Lifetime: s.KeepLifetime}
}

func (s *settings) policy() sessions.Policy {
	return sessions.Policy{Idle: s.SessionIdle, Lifetime: s.SessionLifetime}
}

// secure says whether browsers speak HTTPS to the shop.
func (s *settings) secure() bool {
	return s.TLSCert != "" || strings.HasPrefix(s.PublicURL, "https://")
}

// demo is on where nothing can be lost by it, unless it was set.
func (s *settings) demo() bool {
	if s.Demo != nil {
		return *s.Demo
	}
	return s.DatabaseURL == ""
}

// readPepper reads the file with the pepper; no file means none.
func readPepper(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	pepper, err := os.ReadFile(file)
	if err != nil {
		return nil, settingError("--pepper-file (SHOP_PEPPER_FILE)", "%w", err)
	}
	if len(pepper) == 0 {
		return nil, settingError("--pepper-file (SHOP_PEPPER_FILE)", "%s is empty", file)
	}
	return pepper, nil
}
