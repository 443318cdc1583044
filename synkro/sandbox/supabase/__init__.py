"""The stand-in of one hosted Supabase project."""
