package e2e_test

import (
	"crypto/tls"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

// ASVS 12.1.1
func TestTLSBefore12IsRefused(t *testing.T) {
	t.Parallel()
	cert, key, trust := certify(t)
	shop := process.Open(t, "DATABASE_URL="+pgtest.URL(t), "SHOP_TLS_CERT="+cert, "SHOP_TLS_KEY="+key)
	for version, want := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		conn, err := tls.Dial("tcp", shop.Addr, &tls.Config{
			RootCAs: trust, ServerName: "localhost", MinVersion: version, MaxVersion: version,
		})
		if (err == nil) != want {
			t.Errorf("%s: %v; want it to be taken: %t", tls.VersionName(version), err, want)
		}
		if err == nil {
			conn.Close()
		}
	}
}
