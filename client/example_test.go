package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"bareed/client"
)

// A file of people goes in, a campaign is checked, launched and followed.
func Example() {
	ctx := context.Background()
	c, err := client.New(client.Config{URL: "https://bareed.example", Key: os.Getenv("BAREED_KEY")})
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Open("customers.csv")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	audience, err := c.CreateAudience(ctx, "عملاء الرياض")
	if err != nil {
		log.Fatal(err)
	}
	up, err := c.CreateImport(ctx, audience.ID, client.Upload{File: file, Name: "customers.csv", Settings: client.ImportSettings{
		DefaultCountry: "SA",
		Consent: &client.Declaration{Covers: "rows", Purposes: []string{"marketing"}, Method: "web_form", Source: "https://acme.example/join",
			Wording: &client.Wording{Version: "1", Text: "Yes, Acme may send me offers on WhatsApp.", BusinessName: "Acme"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.WaitJob(ctx, up.Job.ID); err != nil {
		log.Fatal(err)
	}
	campaign, err := c.CreateCampaign(ctx, client.NewCampaign{Name: "تشكيلة الخريف", NumberID: "num_…", TemplateID: "tpl_…",
		AudienceIDs: []string{audience.ID}, Variables: client.Variables{Body: []client.Value{{Attribute: "name", Fallback: "صديقنا"}}}})
	if err != nil {
		log.Fatal(err)
	}
	asked, err := c.CheckCampaign(ctx, campaign.ID)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.WaitJob(ctx, asked.JobID); err != nil {
		log.Fatal(err)
	}
	check, err := c.GetCheck(ctx, campaign.ID, asked.CheckID)
	if err != nil {
		log.Fatal(err)
	}
	launched, err := c.LaunchCampaign(ctx, campaign.ID, client.Launch{ExpectedRecipients: check.Eligible}, client.IdempotencyKey("autumn-2026"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(launched.Recipients, "people from", launched.StartsAt)
}

// A refusal has a code for programs, a sentence for people and an id for support.
func ExampleProblem() {
	c, err := client.New(client.Config{URL: "https://bareed.example", Key: os.Getenv("BAREED_KEY"), Language: "ar"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = c.PauseCampaign(context.Background(), "cmp_019ab3c5d1e77f40a1b2000000000001")
	var p *client.Problem
	switch {
	case client.IsCode(err, "campaign.state"):
		fmt.Println("it is over already")
	case errors.As(err, &p):
		fmt.Println(p.Detail, p.RequestID)
	}
}

// A list is ranged over; the next page is read when it is needed.
func ExampleClient_ListRecipients() {
	c, err := client.New(client.Config{URL: "https://bareed.example", Key: os.Getenv("BAREED_KEY")})
	if err != nil {
		log.Fatal(err)
	}
	for m, err := range c.ListRecipients(context.Background(), "cmp_019ab3c5d1e77f40a1b2000000000001", client.RecipientFilter{State: "failed"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Name, m.Reason)
	}
}

// Events come live; leave the loop when enough has come.
func ExampleClient_FollowEvents() {
	c, err := client.New(client.Config{URL: "https://bareed.example", Key: os.Getenv("BAREED_KEY")})
	if err != nil {
		log.Fatal(err)
	}
	for u, err := range c.FollowEvents(context.Background(), "cmp_019ab3c5d1e77f40a1b2000000000001", 0) {
		switch {
		case err != nil:
			log.Fatal(err)
		case u.Figures != nil:
			fmt.Println(u.Figures.Delivered, "of", u.Figures.Total)
		case u.Event.Type == "campaign.completed":
			return
		}
	}
}

// What is changed is the version that was read: somebody else's change is not lost.
func ExampleClient_UpdateCampaign() {
	ctx := context.Background()
	c, err := client.New(client.Config{URL: "https://bareed.example", Key: os.Getenv("BAREED_KEY")})
	if err != nil {
		log.Fatal(err)
	}
	campaign, err := c.GetCampaign(ctx, "cmp_019ab3c5d1e77f40a1b2000000000001")
	if err != nil {
		log.Fatal(err)
	}
	name := "Autumn, second try"
	_, err = c.UpdateCampaign(ctx, campaign.ID, campaign.ETag, client.CampaignChange{Name: &name, Clear: []string{"send_at", "zone"}})
	if client.IsCode(err, "version.stale") {
		fmt.Println("read it again")
	}
}
