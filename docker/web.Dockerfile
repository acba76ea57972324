FROM nginx:1-bookworm
# The same user id as in the Airflow image: the state is readable by its owner only.
RUN useradd --uid 50000 --no-create-home rasso \
    && sed -i 's/^user .*/user rasso;/' /etc/nginx/nginx.conf
COPY site.conf /etc/nginx/conf.d/default.conf
