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

	Addr            string        `env:"SHOP_ADDR" default:"127.0.0.1:8080" help:"Address to listen on."`
	Demo            *bool         `env:"SHOP_DEMO" negatable:"" help:"Make the demo accounts and name them on the sign-in page. On with the embedded Postgres, off otherwise."`
	SessionStore    string        `env:"SHOP_SESSION_STORE" default:"postgres" help:"Where sessions live: postgres."`
	SessionIdle     time.Duration `env:"SHOP_SESSION_IDLE" default:"30m" help:"How long a session lasts without requests."`
	SessionLifetime time.Duration `env:"SHOP_SESSION_LIFETIME" default:"12h" help:"How long a session lasts at most."`
	PublicURL       string        `env:"SHOP_PUBLIC_URL" help:"The shop's address as browsers see it, behind a proxy. With https:// cookies are Secure."`
	TrustedProxies  []string      `env:"SHOP_TRUSTED_PROXIES" help:"Networks (CIDR) of the proxies whose X-Forwarded-For counts."`
	LoginRate       int           `env:"SHOP_LOGIN_RATE" default:"10" help:"Failed sign-ins allowed for each account and address in 15 minutes."`
	PepperFile      string        `env:"SHOP_PEPPER_FILE" type:"path" help:"File with a secret that is mixed into every password. Changing it voids all passwords."`
}

// check reports the first setting that is wrong, by name and value.
func (s *settings) check() error {
	// To the system an empty address is any port on every network.
	if _, port, err := net.SplitHostPort(s.Addr); err != nil || port == "" {
		return settingError("--addr (SHOP_ADDR)", "%q; it must be like 127.0.0.1:8080", s.Addr)
	}
	if s.SessionStore != "postgres" {
		return settingError("--session-store (SHOP_SESSION_STORE)", "there is no store %q; there is: postgres", s.SessionStore)
	}
	if err := s.policy().Check(); err != nil {
		return settingError("--session-idle, --session-lifetime (SHOP_SESSION_IDLE, SHOP_SESSION_LIFETIME)", "%w", err)
	}
	if s.LoginRate < 1 {
		return settingError("--login-rate (SHOP_LOGIN_RATE)", "%d; it must be at least 1", s.LoginRate)
	}
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return settingError("--public-url (SHOP_PUBLIC_URL)", "%q; it must be like https://shop.example", s.PublicURL)
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

func (s *settings) policy() sessions.Policy {
	return sessions.Policy{Idle: s.SessionIdle, Lifetime: s.SessionLifetime}
}

// secure says whether browsers speak HTTPS to the shop.
func (s *settings) secure() bool { return strings.HasPrefix(s.PublicURL, "https://") }

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
