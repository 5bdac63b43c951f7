package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

type healthcheck struct {
	Addr    string `env:"SHOP_ADDR" default:"127.0.0.1:8080" help:"Address that the shop listens on."`
	TLSCert string `name:"tls-cert" env:"SHOP_TLS_CERT" type:"path" help:"The shop's certificate, if it speaks HTTPS."`
}

// Run asks the shop whether it is ready. A container's image has no curl.
func (c *healthcheck) Run(ctx context.Context, t terminal) error {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return settingError("--addr (SHOP_ADDR)", "%w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	client, scheme := http.DefaultClient, "http"
	if c.TLSCert != "" {
		config, err := trusting(c.TLSCert)
		if err != nil {
			return settingError("--tls-cert (SHOP_TLS_CERT)", "%q: %w", c.TLSCert, err)
		}
		client, scheme = &http.Client{Transport: &http.Transport{TLSClientConfig: config}}, "https"
	}
	url := scheme + "://" + net.JoinHostPort(host, port) + "/readyz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return settingError("--addr (SHOP_ADDR)", "%w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	fmt.Fprintln(t.out, "ok")
	return nil
}

// trusting trusts the one certificate in a file, whoever signed it, and asks
// for a name that it is for: the shop is reached here by its address.
func trusting(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no certificate in PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AddCert(certificate)
	if len(certificate.DNSNames) > 0 {
		config.ServerName = strings.Replace(certificate.DNSNames[0], "*", "shop", 1)
	}
	return config, nil
}
