package charts_test

import (
	"flag"
	"fmt"
	"html/template"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"bareed/web/charts"
)

var (
	update  = flag.Bool("update", false, "write the golden files")
	gallery = flag.String("gallery", "", "write pages with every chart into this folder")
)

// words are the texts of the sample charts: English, or Arabic.
type words map[string]string

var english = words{"progress": "Progress", "progress.s": "9,568 of 11,302 eligible people processed.", "table": "Show table", "empty": "No failures in this period.",
	"delivered": "Delivered", "read": "Read", "accepted": "Accepted", "failed": "Failed", "suppressed": "Suppressed", "waiting": "Waiting", "replied": "Replied", "audience": "Audience", "optin": "Opted in",
	"state": "State", "people": "People", "share": "Share", "ofread": "59.5% of delivered", "funnel": "From audience to reply", "funnel.s": "4 in 100 people of the audience replied.", "before": "share of the step before",
	"line": "Messages per 5 minutes", "line.s": "Sending stopped once, from 11:00 to 11:25.", "limit": "paced limit 180", "stop": "quality fell", "stop2": "quiet hours", "time": "Time", "zone": "Time in Asia/Riyadh", "messages": "messages",
	"columns": "Last 30 days", "columns.s": "412,300 messages, 96% delivered.", "day": "Day", "days": "Day in Asia/Riyadh", "reasons": "Why people were not messaged", "reasons.s": "921 of 1,669 have no recorded opt-in.", "reason": "Reason",
	"r1": "No recorded opt-in", "r2": "Opted out", "r3": "Duplicate in this audience", "r4": "Not a valid number", "r5": "Held back by Meta (frequency)", "r6": "Part of a Meta experiment",
	"meter": "24-hour limit", "meter.s": "8,568 of 10,000 people reached.", "used": "Used", "of": "Limit", "reserve": "Kept free", "hist": "Time to deliver", "hist.s": "Half were delivered within 8 seconds.", "median": "median 8 s", "p95": "95% within 70 s",
	"sec": "s", "min": "min", "after": "Time after acceptance", "spark": "Delivery rate, 14 days"}

var arabic = words{"progress": "التقدم", "progress.s": "عولج 9,568 من 11,302 جهة اتصال مؤهلة.", "table": "عرض الجدول", "empty": "لا توجد إخفاقات في هذه الفترة.",
	"delivered": "سُلِّمت", "read": "قُرئت", "accepted": "قُبلت", "failed": "فشلت", "suppressed": "محظورة", "waiting": "في الانتظار", "replied": "ردود", "audience": "الجمهور", "optin": "وافقوا",
	"state": "الحالة", "people": "الأشخاص", "share": "النسبة", "ofread": "59.5% من المسلَّمة", "funnel": "من الجمهور إلى الرد", "funnel.s": "ردّ 4 من كل 100 شخص.", "before": "النسبة من الخطوة السابقة",
	"line": "الرسائل كل 5 دقائق", "line.s": "توقف الإرسال مرة واحدة من 11:00 إلى 11:25.", "limit": "الحد المضبوط 180", "stop": "انخفضت الجودة", "stop2": "ساعات الهدوء", "time": "الوقت", "zone": "الوقت بتوقيت الرياض", "messages": "رسائل",
	"columns": "آخر 30 يومًا", "columns.s": "412,300 رسالة، سُلِّم منها 96%.", "day": "اليوم", "days": "اليوم بتوقيت الرياض", "reasons": "لماذا لم يُراسَلوا", "reasons.s": "921 من 1,669 بلا موافقة مسجلة.", "reason": "السبب",
	"r1": "لا توجد موافقة مسجلة", "r2": "ألغى الاشتراك", "r3": "مكرر في هذا الجمهور", "r4": "رقم غير صالح", "r5": "أوقفتها ميتا (حد التكرار)", "r6": "ضمن تجربة من ميتا",
	"meter": "حد 24 ساعة", "meter.s": "وصلنا إلى 8,568 من 10,000 شخص.", "used": "استُخدم", "of": "الحد", "reserve": "محجوز", "hist": "زمن التسليم", "hist.s": "سُلِّم نصفها خلال 8 ثوانٍ.", "median": "الوسيط 8 ث", "p95": "95% خلال 70 ث",
	"sec": "ث", "min": "د", "after": "الوقت بعد القبول", "spark": "نسبة التسليم، 14 يومًا"}

// grouped writes 12,840 for 12840.
func grouped(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	for i := len(s) - 3; i > 0 && !strings.Contains(s, "."); i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

type drawn interface{ HTML() template.HTML }

// samples are all charts in one language, in the order of a page.
func samples(w words, dir charts.Dir, size charts.Size) []drawn {
	frame := func(id string, heads ...string) charts.Frame {
		return charts.Frame{ID: id, Title: w[id], Summary: w[id+".s"], Dir: dir, Size: size, Empty: w["empty"], ShowTable: w["table"], Heads: heads, Format: grouped}
	}
	percent := func(v float64) string { return fmt.Sprintf("%.1f%%", 100*v) }
	reasons := []charts.Item{}
	for i, v := range []float64{921, 288, 164, 102, 63, 1} {
		reasons = append(reasons, charts.Item{Label: w[fmt.Sprintf("r%d", i+1)], Value: v, Class: "c-suppressed"})
	}
	edge := func(v float64) string {
		if v >= 60 {
			return grouped(v/60) + " " + w["min"]
		}
		return grouped(v) + " " + w["sec"]
	}
	bins := []charts.Bin{}
	edges := []float64{0, 2, 5, 10, 20, 30, 60, 300, math.Inf(1)}
	for i, n := range []float64{1204, 2960, 3011, 1105, 482, 310, 120, 13} {
		bins = append(bins, charts.Bin{From: edges[i], To: edges[i+1], Count: n, Label: edge(edges[i])})
	}
	spark := frame("spark", "", "")
	spark.ShowTable = ""
	none := frame("failed")
	none.ID = "none"
	return []drawn{
		charts.Progress{Frame: frame("progress", w["state"], w["people"], w["share"]), Total: 11302, Rest: w["waiting"], Segments: []charts.Segment{
			{Label: w["read"], Value: 5480, Class: "c-read", Note: w["ofread"]}, {Label: w["delivered"], Value: 3725, Class: "c-delivered"},
			{Label: w["accepted"], Value: 204, Class: "c-accepted"}, {Label: w["failed"], Value: 159, Class: "c-failed"}, {Label: w["suppressed"], Value: 3, Class: "c-suppressed"}}},
		timeLine(w, frame("line", w["time"])),
		charts.Funnel{Frame: frame("funnel", w["state"], w["people"]), FormatShare: percent, ShareNote: w["before"], Steps: []charts.Step{
			{Label: w["audience"], Value: 12840, Class: "c-5"}, {Label: w["optin"], Value: 11302, Class: "c-5"}, {Label: w["accepted"], Value: 9568, Class: "c-accepted"},
			{Label: w["delivered"], Value: 9205, Class: "c-delivered"}, {Label: w["read"], Value: 5480, Class: "c-read"}, {Label: w["replied"], Value: 512, Class: "c-4"}}},
		days(w, frame("columns", w["day"])),
		charts.Reasons{Frame: frame("reasons", w["reason"], w["people"]), Items: reasons},
		charts.Meter{Frame: frame("meter", w["state"], w["people"]), Used: 8568, Limit: 10000, Reserve: 500, UsedLabel: w["used"], LimitLabel: w["of"], ReserveLabel: w["reserve"]},
		charts.Histogram{Frame: frame("hist", w["after"], w["people"]), Bins: bins, FormatEdge: edge, ValueAxis: w["messages"], Axis: w["after"],
			Marks: []charts.Mark{{At: 8, Label: w["median"]}, {At: 70, Label: w["p95"]}}},
		charts.Sparkline{Frame: spark, Values: []float64{.94, .95, .96, .91, .97, .96, .95, .96, .88, .93, .96, .97, .96, .97}, Foot: .85, Class: "c-delivered"},
		charts.Reasons{Frame: none},
	}
}

func timeLine(w words, f charts.Frame) charts.TimeLine {
	riyadh := time.FixedZone("Asia/Riyadh", 3*3600)
	start := time.Date(2026, 11, 22, 9, 0, 0, 0, riyadh)
	l := charts.TimeLine{Frame: f, Zone: riyadh, Limit: &charts.Limit{Value: 180, Label: w["limit"]}, ValueAxis: w["messages"], Axis: w["zone"],
		FormatTime: func(t time.Time) string { return t.Format("15:04") },
		Series:     []charts.Series{{Label: w["accepted"], Class: "c-accepted"}, {Label: w["delivered"], Class: "c-delivered"}, {Label: w["read"], Class: "c-read"}},
		Stops: []charts.Stop{{From: start.Add(2 * time.Hour), To: start.Add(145 * time.Minute), Label: w["stop"]},
			{From: start.Add(225 * time.Minute), To: start.Add(235 * time.Minute), Label: w["stop2"]}}}
	for i := range 48 {
		l.Times = append(l.Times, start.Add(time.Duration(i)*5*time.Minute))
		pace := 140 + 40*math.Min(1, float64(i)/14) + 5*math.Sin(float64(i)*2.1)
		if i >= 24 {
			pace = math.Min(178+4*math.Sin(float64(i)), 12*float64(i-24))
		}
		if i >= 24 && i < 29 || i >= 45 && i < 47 {
			pace = 0
		}
		pace = math.Floor(pace)
		for k, share := range []float64{1, .965, .4 + float64(i)/400} {
			l.Series[k].Values = append(l.Series[k].Values, math.Floor(pace*share))
		}
	}
	return l
}

func days(w words, f charts.Frame) charts.Columns {
	k := charts.Columns{Frame: f, ValueAxis: w["messages"], Axis: w["days"], FormatDay: func(t time.Time) string { return t.Format("2/1") },
		Series: []charts.Series{{Label: w["delivered"], Class: "c-delivered"}, {Label: w["failed"], Class: "c-failed"}, {Label: w["suppressed"], Class: "c-suppressed"}}}
	for i := range 30 {
		k.Days = append(k.Days, time.Date(2026, 10, 24+i, 0, 0, 0, 0, time.UTC))
		base := math.Floor(9000 + 6000*math.Sin(float64(i)*.9) + 150*float64(i))
		if i%7 >= 5 {
			base = 0
		}
		k.Series[0].Values = append(k.Series[0].Values, base)
		k.Series[1].Values = append(k.Series[1].Values, math.Floor(base*.04*float64(i%4)))
		k.Series[2].Values = append(k.Series[2].Values, math.Floor(base*.13))
	}
	return k
}

// TestGallery writes pages to be looked at: go test ./web/charts -run Gallery -gallery /tmp/charts
func TestGallery(t *testing.T) {
	t.Parallel()
	if *gallery == "" {
		return
	}
	const shell = `<!doctype html><html lang="%s" dir="%s" data-theme="%s"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src 'self' file:"><link rel="stylesheet" href="charts.css"><link rel="stylesheet" href="page.css"><main>`
	files := map[string]string{"charts.css": string(charts.Stylesheet), "page.css": `body{margin:0;padding:16px;font:15px/1.5 system-ui,"Noto Sans Arabic",sans-serif;background:#f5f5f3}:root{color-scheme:light dark}[data-theme=light]{color-scheme:light}[data-theme=dark]{color-scheme:dark}[data-theme=dark] body{background:#12161b}
main{display:grid;gap:16px;grid-template-columns:repeat(12,minmax(0,1fr))}section{background:var(--chart-surface);border-radius:12px;padding:20px;grid-column:span 12;min-width:0;border:1px solid var(--chart-grid)}
@media(min-width:1000px){section:nth-child(2),section:nth-child(7){grid-column:span 7}section:nth-child(3),section:nth-child(5),section:nth-child(6){grid-column:span 5}section:nth-child(4){grid-column:span 12}section:nth-child(5){grid-column:span 7}section:nth-child(8),section:nth-child(9){grid-column:span 5}}`}
	for lang, w := range map[string]words{"en": english, "ar": arabic} {
		dir := map[string]charts.Dir{"en": charts.LTR, "ar": charts.RTL}[lang]
		for _, theme := range []string{"light", "dark"} {
			page := fmt.Sprintf(shell, lang, dir, theme)
			for _, s := range samples(w, dir, charts.Fluid) {
				page += "<section>" + string(s.HTML()) + "</section>"
			}
			files[lang+"-"+theme+".html"] = page
		}
	}
	for name, text := range files {
		if err := os.WriteFile(*gallery+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
