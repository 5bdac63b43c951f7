package web_test

import (
	"io/fs"
	"testing"

	"coatcheck/internal/classroom"
	"coatcheck/internal/view"
	"coatcheck/internal/web"
	"coatcheck/static"
	"coatcheck/templates"

	"github.com/jba/templatecheck"
)

// A template that asks its page for something that it does not have fails
// here, not before a visitor.
func TestTemplatesFitTheirPages(t *testing.T) {
	t.Parallel()
	assets, err := view.NewAssets(static.Files)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := view.Parse(templates.Files, assets)
	if err != nil {
		t.Fatal(err)
	}
	checked := map[string]bool{"layout.html": true} // with each of the others
	for _, page := range []view.Page{
		&web.CataloguePage{}, &web.ProductPage{}, &web.CartPage{}, &web.CheckoutPage{},
		&web.OrdersPage{}, &web.OrderPage{}, &web.LoginPage{}, &web.SignupPage{}, &web.ErrorPage{},
		&web.AccountPage{}, &web.SessionsPage{}, &web.AdminPage{}, &web.AdminUserPage{}, &web.XRaysPage{}, &web.XRayPage{},
		&classroom.LearnPage{}, &classroom.ClaimPage{}, &classroom.GuidePage{}, &classroom.FilePage{}, &classroom.StoryPage{},
	} {
		found, err := parsed.Lookup(page.Template())
		if err != nil {
			t.Errorf("%T: %v", page, err)
			continue
		}
		if err := templatecheck.CheckHTML(found, page); err != nil {
			t.Errorf("%T: %v", page, err)
		}
		checked[page.Template()] = true
	}
	names, err := fs.Glob(templates.Files, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !checked[name] {
			t.Errorf("templates/%s belongs to no page, or its page is not in this test", name)
		}
	}
}
