package breaker_test

import (
	"testing"

	"bareed/campaigns/breaker"
)

// A first hour warns when it was read less than three tenths of the number's
// median, and only when there is enough to compare.
func TestFirstHour(t *testing.T) {
	t.Parallel()
	hours := func(reads ...int64) (list []breaker.Hour) {
		for _, n := range reads {
			list = append(list, breaker.Hour{Delivered: 1000, Read: n})
		}
		return list
	}
	for _, tt := range []struct {
		name         string
		hour         breaker.Hour
		before       []breaker.Hour
		judged, over bool
		threshold    string
	}{
		{"as usual", breaker.Hour{Delivered: 1000, Read: 600}, hours(600, 500, 700), true, false, "< 30 % × 60.0 %"},
		{"at three tenths", breaker.Hour{Delivered: 1000, Read: 180}, hours(600, 500, 700), true, false, "< 30 % × 60.0 %"},
		{"one less", breaker.Hour{Delivered: 1000, Read: 179}, hours(600, 500, 700), true, true, "< 30 % × 60.0 %"},
		{"an even number: the mean of the two in the middle", breaker.Hour{Delivered: 1000, Read: 164}, hours(200, 500, 600, 900), true, true, "< 30 % × 55.0 %"},
		{"one outlier moves no median", breaker.Hour{Delivered: 1000, Read: 150}, hours(10, 500, 500, 500, 500), true, false, "< 30 % × 50.0 %"},
		{"just enough delivered", breaker.Hour{Delivered: 100, Read: 1}, hours(600, 600, 600), true, true, "< 30 % × 60.0 %"},
		{"too few delivered", breaker.Hour{Delivered: 99, Read: 0}, hours(600, 600, 600), false, false, "< 30 % × 60.0 %"},
		{"nothing delivered", breaker.Hour{}, hours(600, 600, 600), false, false, "< 30 % × 60.0 %"},
		{"two hours are no habit", breaker.Hour{Delivered: 1000}, hours(600, 600), false, false, "< 30 % × 60.0 %"},
		{"small ones before do not count", breaker.Hour{Delivered: 1000}, append(hours(600, 600), breaker.Hour{Delivered: 99, Read: 90}), false, false, "< 30 % × 60.0 %"},
		{"nobody of this number reads", breaker.Hour{Delivered: 1000}, hours(0, 0, 0), true, false, "< 30 % × 0.0 %"},
		{"none before", breaker.Hour{Delivered: 1000}, nil, false, false, "< 30 % × 0.0 %"},
	} {
		x := breaker.Default().FirstHour(tt.hour, tt.before)
		if x.Judged != tt.judged || x.Over != tt.over || x.Threshold != tt.threshold || x.Kind != breaker.Warn || x.Measured == "" {
			t.Errorf("%s: %+v", tt.name, x)
		}
	}
	p := breaker.Default()
	p.ReadsBelow, p.ReadsAfter = 50, 20
	if x := p.FirstHour(breaker.Hour{Delivered: 20, Read: 5}, hours(600, 600, 600)); !x.Over || x.Measured != "25.0 % (5 / 20)" {
		t.Errorf("by settings of its own: %+v", x)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		answered, poor int64
		judged, over   bool
	}{
		{"at the threshold", 1000, 400, true, false},
		{"beyond it", 1000, 401, true, true},
		{"too few", 499, 499, false, false},
		{"just enough", 500, 201, true, true},
		{"nothing", 0, 0, false, false},
	} {
		if x := breaker.Default().List(tt.answered, tt.poor); x.Judged != tt.judged || x.Over != tt.over || x.Reason != breaker.ListPoor {
			t.Errorf("%s: %+v", tt.name, x)
		}
	}
}
