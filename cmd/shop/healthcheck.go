package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

type healthcheck struct {
	Addr string `env:"SHOP_ADDR" default:"127.0.0.1:8080" help:"Address that the shop listens on."`
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
	url := "http://" + net.JoinHostPort(host, port) + "/readyz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return settingError("--addr (SHOP_ADDR)", "%w", err)
	}
	response, err := http.DefaultClient.Do(request)
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
