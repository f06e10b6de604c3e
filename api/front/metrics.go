package front

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the server's own figures, in a registry of its own. Labels are
// routes of the table, never paths or ids.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(j *journal) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bareed_http_requests_total", Help: "Requests by route and status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bareed_http_request_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "bareed_http_requests_in_flight", Help: "Requests under way.",
		}),
	}
	dropped := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "bareed_http_log_dropped_total", Help: "Lines of the request log that were given up.",
	}, func() float64 { return float64(j.dropped.Load()) })
	m.registry.MustRegister(m.requests, m.duration, m.inFlight, dropped,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}

// Registry takes the figures of other parts of the process, so that one
// listener shows them all.
func (f *Front) Registry() *prometheus.Registry { return f.metrics.registry }

// MetricsHandler serves the figures for Prometheus. It is for a listener of its
// own, never the public one: route names and volumes are nobody's business.
func (f *Front) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(f.metrics.registry, promhttp.HandlerOpts{Registry: f.metrics.registry})
}
