package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// tlsConfig reads the certificate, if one is set. A renewed one is read at the
// next start, which costs no visitor a session.
func (s *settings) tlsConfig() (*tls.Config, error) {
	if s.TLSCert == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		return nil, settingError("--tls-cert, --tls-key (SHOP_TLS_CERT, SHOP_TLS_KEY)", "%q, %q: %w", s.TLSCert, s.TLSKey, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, nil
}

// toHTTPS answers plain http with nothing but the way to the same place over
// https: at the public URL if there is one, else at the host that was asked
// for, on the given port. The method stays, so a form sent here arrives there
// (RFC 9110, section 15.4.9).
func toHTTPS(publicURL string, port int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := publicURL
		if origin == "" {
			asked, err := url.Parse("https://" + r.Host)
			if err != nil || asked.Hostname() == "" || asked.Host != r.Host {
				http.Error(w, "The request does not say which host it is for.", http.StatusBadRequest)
				return
			}
			origin = "https://" + withPort(asked.Hostname(), port)
		}
		place := r.URL.RequestURI()
		if !strings.HasPrefix(place, "/") {
			place = "/" // such as OPTIONS *
		}
		http.Redirect(w, r, origin+place, http.StatusPermanentRedirect)
	})
}

func withPort(host string, port int) string {
	joined := net.JoinHostPort(host, strconv.Itoa(port))
	if port == 443 {
		return strings.TrimSuffix(joined, ":443") // what https means anyway
	}
	return joined
}
