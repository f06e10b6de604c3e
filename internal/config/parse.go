package config

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"bareed/internal/seal"
)

// errForm says no more than the setting's "must be" does.
var errForm = errors.New("not of that form")

// ParseRedis reads a Redis URL, the only place where one is read:
// redis://, rediss:// or unix:///path/redis.sock?db=0. The error holds nothing
// of the URL, which may hold a password.
func ParseRedis(v string) (*redis.Options, error) {
	u, err := url.Parse(v)
	if err != nil || !slices.Contains([]string{"redis", "rediss", "unix"}, u.Scheme) {
		return nil, errForm
	}
	opt, err := redis.ParseURL(v)
	if err != nil {
		return nil, errForm
	}
	return opt, nil
}

func postgresURL(to *string, v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return errForm
	}
	if _, err := pgx.ParseConfig(v); err != nil {
		return errForm // pgx's text repeats the address
	}
	*to = v
	return nil
}

// safeURL takes https anywhere and http on this machine alone: tokens travel there.
func safeURL(to *string, v string, path bool) error {
	u, err := url.Parse(v)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return errForm
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errForm
	}
	if !path && strings.Trim(u.Path, "/") != "" {
		return errForm
	}
	*to = strings.TrimRight(u.String(), "/")
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

var version = regexp.MustCompile(`^v([1-9][0-9])\.0$`)

// oldestGraph is the oldest Graph API version the client's payloads are made for.
const oldestGraph = 24

func graphVersion(to *string, v string) error {
	m := version.FindStringSubmatch(v)
	if m == nil {
		return errForm
	}
	if n, err := strconv.Atoi(m[1]); err != nil || n < oldestGraph {
		return errForm
	}
	*to = v
	return nil
}

// masterKeys reads "2:base64,1:base64", or "base64" alone as version 1.
func masterKeys(to *Keys, v string) error {
	if !strings.Contains(v, ":") {
		v = "1:" + v
	}
	keys, err := seal.ParseKeys(v)
	if err != nil {
		return err // names versions, never keys
	}
	*to = keys
	return nil
}

func address(to *string, v string) error {
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return errForm
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errForm
	}
	*to = v
	return nil
}

// optionalAddress takes port 0 as "nowhere".
func optionalAddress(to *string, v string) error {
	if err := address(to, v); err != nil {
		return err
	}
	if strings.HasSuffix(v, ":0") {
		*to = ""
	}
	return nil
}

func prefixes(to *[]netip.Prefix, v string) error {
	var out []netip.Prefix
	for part := range strings.SplitSeq(v, ",") {
		part = strings.TrimSpace(part)
		p, err := netip.ParsePrefix(part)
		if err != nil {
			ip, err := netip.ParseAddr(part)
			if err != nil {
				return errForm
			}
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		out = append(out, p.Masked())
	}
	*to = out
	return nil
}

func number(to *int, v string, low, high int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return errForm
	}
	*to = n
	return nil
}

func duration(to *time.Duration, v, low, high string) error {
	d, err := time.ParseDuration(v)
	least, err1 := time.ParseDuration(low)
	most, err2 := time.ParseDuration(high)
	if errors.Join(err, err1, err2) != nil || d < least || d > most {
		return errForm
	}
	*to = d
	return nil
}

func oneOf(to *string, v string, allowed ...string) error {
	if !slices.Contains(allowed, v) {
		return errForm
	}
	*to = v
	return nil
}

func level(to *slog.Level, v string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	l, ok := levels[v]
	if !ok {
		return errForm
	}
	*to = l
	return nil
}
